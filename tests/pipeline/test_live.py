"""A running experiment's curve is read while it grows, and ending it ends DVC and its training."""

import time
from pathlib import Path

import psutil
import pytest
from conftest import commit_all, dvc_environment, run
from stub_experiments import make_repository, watched

from affect.experiments import live
from affect.experiments.live import LiveExperiment, run_live
from affect.experiments.workspaces import find_workspace

CURVE = "metrics/train/resnet50/curves.csv"
LINE = "measure,images,epoch,value\nvalence_ccc,validation,1,{value}\n"


def test_a_curve_grows_and_its_end_ends_everything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_repository(tmp_path / "repository")
    (watched(folder) / "slow").touch()
    before = run(folder, "git", "status", "--porcelain", "--branch").stdout
    for name, value in (dvc_environment(folder) | {"STUB": str(watched(folder))}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(folder)
    seen: list[int] = []
    with run_live("trial", ["train.learning_rate=0.1"], tmp_path / "log") as experiment:
        while experiment.is_running and len(seen) < 3:
            time.sleep(0.1)
            curve = experiment.read_curve("resnet50", "valence_ccc")
            if len(curve) > (seen[-1] if seen else 0):
                seen.append(len(curve))
                assert curve.to_dict() == pytest.approx({epoch: 0.1 * epoch for epoch in range(1, len(curve) + 1)})
        workspace = find_workspace("trial")
        assert workspace is not None
        stage = psutil.Process(experiment.process.pid).children(recursive=True)
    assert len(seen) == 3, (tmp_path / "log").read_text()
    assert stage
    assert not any(process.is_running() for process in stage)
    assert not experiment.is_running
    assert not experiment.has_succeeded
    assert not workspace.exists()
    assert run(folder, "git", "status", "--porcelain", "--branch").stdout == before
    assert not run(folder, "git", "for-each-ref", "refs/exps/*/*/trial").stdout


def test_the_commits_curve_is_not_taken_for_the_trainings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It lies in the workspace until the training starts."""
    file = tmp_path / CURVE
    file.parent.mkdir(parents=True)
    file.write_text(LINE.format(value=0.9))
    commit_all(tmp_path)
    monkeypatch.setattr(live, "find_workspace", lambda name: tmp_path)
    experiment = LiveExperiment("trial", None)  # type: ignore[arg-type]
    assert experiment.read_curve("resnet50", "valence_ccc").empty
    file.unlink()
    assert experiment.read_curve("resnet50", "valence_ccc").empty
    file.write_text(LINE.format(value=0.2))
    assert experiment.read_curve("resnet50", "valence_ccc").to_dict() == {1: 0.2}
    assert experiment.read_curve("resnet50", "valence_ccc", "training").empty
