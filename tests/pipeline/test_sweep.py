"""`src/sweep.py` with real DVC and a stage that takes no time: what runs, what is found, what is said of it."""

import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import AUTHOR, ROOT, dvc_environment, restore_ctrl_c, run
from stub_experiments import list_ran, make_repository, watched

import sweep
import table
from affect.experiments.reading import Experiment, read_experiments, read_predictions
from affect.plumbing.errors import InputError
from affect.plumbing.stage import run_command

FOLDER = "data/cache/sweep"
TABLE = """\
Mean ± standard deviation over 2 runs, train.seed 2, 3:

| metric           | resnet50       | efficientnetb1 |
|------------------|----------------|----------------|
| emotion accuracy | 0.250 ± 0.071  | 0.250 ± 0.071  |
| emotion f1       | 0.400 ± 0.000  | 0.400 ± 0.000  |
| valence ccc      | 0.500 (1 of 2) | 0.500 (1 of 2) |
"""


@dataclass(frozen=True)
class Scenario:
    """A sweep that was interrupted, killed, and then run to its end with a longer list of seeds."""

    folder: Path
    before: str
    interrupted: list[str]
    clones_after_interruption: list[Path]
    ran_after_interruption: list[str]
    code: int
    printed: str
    said: list[str]


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    environment = dvc_environment(folder) | {"STUB": str(watched(folder))}
    command = [sys.executable, str(ROOT / "src" / "sweep.py"), *arguments]
    return subprocess.Popen(
        command,
        cwd=folder,
        env=environment,
        stdout=-1,
        stderr=-1,
        text=True,
        preexec_fn=restore_ctrl_c,  # noqa: PLW1509, the tests start no threads
    )


def stop(folder: Path, number: int, lines: int, *arguments: str) -> str:
    """Send a signal to the sweep alone once the stage has run so often, and return what it said."""
    process = start(folder, *arguments)
    deadline = time.monotonic() + 60
    while len(list_ran(folder)) < lines and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    return process.communicate(timeout=60)[1]


def workspace(folder: Path) -> str:
    return run(folder, "git", "status", "--porcelain", "--branch").stdout


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    folder = make_repository(tmp_path_factory.mktemp("swept") / "repository")
    before = workspace(folder)
    hold = watched(folder) / "hold-2"
    hold.touch()
    interrupted = stop(folder, signal.SIGINT, 1, "-S", "train.seed=2").splitlines()
    clones, ran = list((folder / FOLDER).glob("*/clone")), list_ran(folder)
    # The sweep alone is killed, as by the kernel for want of memory: DVC goes on.
    stop(folder, signal.SIGKILL, 2, "-S", "train.seed=2")
    process = start(folder, "--name", "seeds", "-S", "train.seed=2,3,13")
    assert process.stderr is not None
    waits = process.stderr.readline()
    hold.unlink()
    printed, said = process.communicate(timeout=120)
    return Scenario(
        folder, before, interrupted, clones, ran, process.returncode, printed, [waits.strip(), *said.splitlines()]
    )


def test_an_interrupted_sweep_ends_what_runs_and_says_how_to_go_on(scenario: Scenario) -> None:
    said = ["1 of 1: sweep-1 stopped; the same command goes on with it", "sweep: interrupted"]
    assert scenario.interrupted[-2:] == said
    assert scenario.ran_after_interruption == ["2 4 anew"]
    assert scenario.clones_after_interruption == []


def test_a_stopped_training_finds_its_checkpoint_and_nothing_runs_twice(scenario: Scenario) -> None:
    assert list_ran(scenario.folder) == ["2 4 anew", "2 4 resumed", "3 4 anew", "13 4 anew"]


def test_an_experiment_whose_sweep_was_killed_is_waited_for_and_found_by_its_parameters(scenario: Scenario) -> None:
    assert scenario.said[0] == f"sweep: waits for the experiment that runs in {FOLDER} to end"
    assert scenario.said[1] == "1 of 3: train.seed=2 has been run: sweep-1"


def test_the_table_is_of_what_has_succeeded(scenario: Scenario) -> None:
    assert scenario.printed == TABLE


def test_a_failure_is_told_with_its_line_and_its_log(scenario: Scenario) -> None:
    assert scenario.code == 1
    log = f"{FOLDER}/seeds-3.log"
    assert scenario.said[-2:] == [
        "3 of 3: seeds-3 failed: train: the loss is NaN",
        f"sweep: 1 of 3 failed: train.seed=13 ({log})",
    ]
    assert "exited with 1" in (scenario.folder / log).read_text()


def test_a_sweep_leaves_the_workspace_and_keeps_no_checkpoint_of_what_has_succeeded(scenario: Scenario) -> None:
    assert workspace(scenario.folder) == scenario.before
    kept = [path for path in (scenario.folder / FOLDER).iterdir() if path.is_dir()]
    # That of the failed one.
    assert len(kept) == 1
    assert {path.name for path in kept[0].iterdir()} == {"cache", "lock"}


def test_an_experiment_that_a_clone_elsewhere_has_pushed_is_found(tmp_path: Path) -> None:
    home, away = make_repository(tmp_path / "home"), tmp_path / "away"
    run(home, "git", "clone", "--quiet", ".", str(away))
    run(away, "dvc", "exp", "run", "--name", "elsewhere", "-S", "train.seed=5", STUB=str(watched(home)))
    run(away, "dvc", "exp", "push", "origin", "elsewhere")
    said = start(home, "-S", "train.seed=5").communicate(timeout=60)[1]
    assert said == "1 of 1: train.seed=5 has been run: elsewhere\n"
    assert list_ran(home) == ["5 4 anew"]


@pytest.mark.parametrize(
    ("overrides", "line"),
    [
        ("train.sed=1", "-S augment.copies=4 -S train.sed=1: Could not override 'train.sed'; parameters and their"),
        ("train.seed=1,one", "augment.copies=4 train.seed=one: train.seed is 'one', but should be a valid integer"),
        ("other.yaml:x=1", "a sweep is over parameters of params.yaml; other files are not supported"),
        ("train.seed=range(3,1)", "-S augment.copies=4 -S train.seed=range(3,1): no combination of values"),
    ],
)
def test_a_bad_parameter_is_refused_before_anything_runs(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch, overrides: str, line: str
) -> None:
    assert refuse_sweep(scenario.folder, monkeypatch, "-S", "augment.copies=4", "-S", overrides).startswith(line)


def test_a_change_that_no_commit_has_is_refused(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    """The experiments would be without it."""
    stage = scenario.folder / "stage.py"
    code = stage.read_text()
    stage.write_text(f"{code}# changed\n")
    try:
        line = refuse_sweep(scenario.folder, monkeypatch, "-S", "train.seed=1,2")
    finally:
        stage.write_text(code)
    assert line.startswith("stage.py differs from the last commit, of which a sweep's experiments are; commit it, or")


def test_data_that_no_commit_has_is_refused(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    """git sees neither an edit of what `dvc add` tracks, nor a card that nobody has added."""
    data = scenario.folder / "data" / "mine"
    data.mkdir(parents=True)
    (data / "face.txt").write_text("as it was added")
    run(scenario.folder, "dvc", "add", "-q", "data/mine")
    try:
        line = refuse_sweep(scenario.folder, monkeypatch, "-S", "train.seed=1,2")
        assert line.startswith("data/mine.dvc is not in git, so a sweep's experiments would lack it; commit it")
        run(scenario.folder, "git", "add", "data/mine.dvc")
        (data / "face.txt").write_text("edited")
        line = refuse_sweep(scenario.folder, monkeypatch, "-S", "train.seed=1,2")
        assert line.startswith(
            "data/mine differs from what DVC has recorded, which a sweep's experiments have; `dvc add"
        )
    finally:
        run(scenario.folder, "git", "rm", "-q", "--cached", "data/mine.dvc")
        (scenario.folder / "data" / "mine.dvc").unlink()
        shutil.rmtree(data)


def refuse_sweep(folder: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """Return the line that it stops with; nothing has run."""
    ran = list_ran(folder)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["sweep.py", *arguments])
    with pytest.raises(SystemExit) as stopped:
        run_command(sweep.main)
    assert list_ran(folder) == ran
    return str(stopped.value.code).removeprefix("sweep: ")


def read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Experiment]:
    monkeypatch.chdir(folder)
    return {experiment.label: experiment for experiment in read_experiments()}


def test_experiments_are_read_with_parameters_metrics_and_predictions(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = read(scenario.folder, monkeypatch)
    second = found["seeds-2"]
    assert (second.state, second.params["train.seed"], second.networks) == (
        "success",
        3,
        ["resnet50", "efficientnetb1"],
    )
    assert second.metrics["resnet50", "emotion", "accuracy"] == 0.3
    predictions = read_predictions(second.revision, "efficientnetb1")
    assert predictions.to_dict("list") == {"id": ["007"], "expression": [3]}
    with pytest.raises(InputError, match=r"no metrics/predictions/vgg\.csv"):
        read_predictions(second.revision, "vgg")


def test_parameters_that_were_edited_since_the_last_run_have_no_metrics(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DVC shows them with those of the last run."""
    run(scenario.folder, "dvc", "exp", "apply", "-q", "seeds-2")
    assert read(scenario.folder, monkeypatch)["workspace"].state == "success"
    params = scenario.folder / "params.yaml"
    params.write_text(params.read_text().replace("seed: 3", "seed: 4"))
    edited = read(scenario.folder, monkeypatch)["workspace"]
    assert (edited.params["train.seed"], edited.state, edited.metrics) == (4, "not run", {})
    with pytest.raises(InputError, match="workspace is not run, so it has no metrics of its own"):
        edited.require_metrics()


def test_the_table_has_what_waits_and_what_other_commits_began(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = scenario.folder
    run(folder, "git", "reset", "-q", "--hard")
    run(folder, "git", *AUTHOR, "commit", "-q", "--allow-empty", "-m", "next")
    run(folder, "dvc", "exp", "run", "-q", "--queue", "--name", "waits", "-S", "train.seed=8")
    first, last = run(folder, "git", "log", "--format=%h", "--abbrev=7", "--reverse").stdout.split()
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["table.py"])
    run_command(table.main)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].split()[-1] == "train.seed"
    words = [line.split() for line in lines[2:7]]
    assert [(row[0], row[-1]) for row in words] == [
        *((last, "42"), ("waits", "8"), (first, "42"), ("seeds-2", "3"), ("sweep-1", "2"))
    ]
    assert words[1][1] == "queued"
    # Nothing but the two that have succeeded has figures.
    assert [len(re.findall(r"\d\.\d{3}", line)) for line in lines[2:7]] == [0, 0, 0, 4, 6]
