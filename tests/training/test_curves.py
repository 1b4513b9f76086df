"""Curves of a training, epoch by epoch."""

from pathlib import Path

import pytest
from conftest import commit_all, run

from affect.plumbing.errors import InputError
from affect.training.curves import live_curves

EPOCH = {"loss": 1.0, "val_loss": 2.0, "emotion_accuracy": 0.5, "val_emotion_accuracy": 0.25}


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "mine").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_curves_replace_those_of_an_earlier_training_and_nothing_else(repository: Path) -> None:
    commit_all(repository)
    folder = repository / "metrics" / "train" / "resnet50"
    with live_curves(folder, [EPOCH] * 3):
        pass
    for name in ("report.html", "params.yaml", "dvc.yaml", "notes.md"):
        (folder / name).write_text("years: of work")
    with live_curves(folder, [EPOCH]) as curves:
        curves.on_epoch_end(1, EPOCH)
    assert (folder / "plots" / "metrics" / "val" / "loss.tsv").read_text() == "step\tloss\n0\t2.0\n1\t2.0\n"
    rows = ["{name},training,{epoch},{}", "{name},validation,{epoch},{}"]
    values = {"loss": (1.0, 2.0), "emotion_accuracy": (0.5, 0.25)}
    assert (folder / "curves.csv").read_text().splitlines() == [
        "measure,images,epoch,value",
        *(
            row.format(value, name=name, epoch=epoch)
            for epoch in (1, 2)
            for name, pair in values.items()
            for row, value in zip(rows, pair, strict=True)
        ),
    ]
    for name in ("report.html", "params.yaml", "dvc.yaml", "notes.md"):
        assert (folder / name).read_text() == "years: of work"


def test_a_repository_without_a_commit_is_said_to_be_one(repository: Path) -> None:
    run(repository, "git", "init", "-q")
    run(repository, "dvc", "init", "-q")
    with pytest.raises(InputError, match="make one with git commit"), live_curves(repository / "metrics", []):
        pytest.fail("the work begins")
