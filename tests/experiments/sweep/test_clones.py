"""The line that a failed experiment is told with, and how one that has succeeded comes home."""

from pathlib import Path

import pytest
from conftest import AUTHOR, run

from affect.experiments.sweep.clones import Job, collect, collect_left, find_error

FAILED = "ERROR: failed to reproduce 'train': failed to run: python src/train.py, exited with 1"


@pytest.mark.parametrize(
    ("printed", "line"),
    [
        (f"> python src/train.py\ntrain: the loss is NaN\n{FAILED}\n", "train: the loss is NaN"),
        (f"> python src/train.py\n10%|#  |\rtrain: killed\n\n{FAILED}\n", "train: killed"),
        (f"Running stage 'train':\n> python src/train.py\n{FAILED}\n", FAILED),
        (
            "ERROR: unexpected error - no space left\n\nHaving any troubles?\n",
            "ERROR: unexpected error - no space left",
        ),
        (
            "Verifying data sources in stage: 'a.dvc'\nERROR: missing data 'source': a\n",
            "ERROR: missing data 'source': a",
        ),
        ("Killed\n", "Killed"),
        ("", "it printed nothing"),
    ],
)
def test_the_line_is_the_stages_or_else_dvcs(printed: str, line: str) -> None:
    assert find_error(printed) == line


@pytest.mark.parametrize("is_left", [False, True])
def test_an_experiment_whose_name_is_taken_meanwhile_comes_home_under_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], is_left: bool
) -> None:
    def commit(message: str) -> str:
        run(repository, "git", *AUTHOR, "commit", "--quiet", "--allow-empty", "-m", message)
        return run(repository, "git", "rev-parse", "HEAD").stdout.strip()

    repository, folder = tmp_path / "repository", tmp_path / "sweep" / "job"
    repository.mkdir()
    run(repository, "git", "init", "--quiet")
    baseline, swept, users = commit("baseline"), commit("swept"), commit("the user's")
    refs = f"refs/exps/{baseline[:2]}/{baseline[2:]}"
    job = Job(repository, baseline, "sweep-2", (), folder, folder / "log")
    run(repository, "git", "clone", "--quiet", ".", str(job.clone))
    run(job.clone, "git", "checkout", "--quiet", baseline)
    run(job.clone, "git", "update-ref", f"{refs}/sweep-2", swept)
    run(repository, "git", "update-ref", f"{refs}/sweep-2", users)
    monkeypatch.chdir(repository)
    if is_left:
        collect_left(folder.parent)
    else:
        collect(job, succeeded=True)
    found = run(repository, "git", "for-each-ref", "--format=%(refname) %(objectname)", "refs/exps").stdout
    assert found.splitlines() == [f"{refs}/sweep-2 {users}", f"{refs}/sweep-2-2 {swept}"]
    assert capsys.readouterr().err == "sweep: sweep-2 is another experiment by now, so this one is sweep-2-2\n"
    assert not folder.exists()
