"""A checkpoint stays until DVC has recorded its training, and no longer."""

import hashlib
import os
from pathlib import Path

import pytest

from affect.plumbing.until_recorded import keep_until_recorded, remove_recorded


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    (tmp_path / "model").write_text("the model")
    file = tmp_path / "cache" / "checkpoint.npz"
    file.parent.mkdir()
    file.write_text("the checkpoint")
    return file


def test_it_stays_until_the_lock_holds_the_model(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_STAGE", "train@resnet50")
    lock = tmp_path / "dvc.lock"
    keep_until_recorded(checkpoint, tmp_path / "model")
    remove_recorded(checkpoint.parent, lock)
    lock.write_text("md5: 0123")
    remove_recorded(checkpoint.parent, lock)
    assert checkpoint.read_text() == "the checkpoint"
    lock.write_text(f"md5: {hashlib.md5(b'the model').hexdigest()}")
    remove_recorded(checkpoint.parent, lock)
    assert not list(checkpoint.parent.iterdir())


def test_the_checkpoint_of_a_training_under_way_stays(checkpoint: Path, tmp_path: Path) -> None:
    (tmp_path / "dvc.lock").write_text("md5: 0123")
    remove_recorded(checkpoint.parent, tmp_path / "dvc.lock")
    assert checkpoint.exists()


def test_without_dvc_nobody_records_it(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DVC_STAGE", raising=False)
    keep_until_recorded(checkpoint, tmp_path / "model")
    assert not list(checkpoint.parent.iterdir())


@pytest.mark.parametrize("content", [b"", b"0", b"md5", b"\xff\xfe", b"0" * 33])
def test_a_damaged_note_costs_nothing(checkpoint: Path, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "dvc.lock").write_bytes(b"md5: " + b"0" * 40 + b"\xff")
    checkpoint.with_name("checkpoint.npz.until-recorded").write_bytes(content)
    remove_recorded(checkpoint.parent, tmp_path / "dvc.lock")
    assert checkpoint.exists()


def test_a_pipe_in_the_place_of_a_note_stops_nothing(checkpoint: Path, tmp_path: Path) -> None:
    os.mkfifo(checkpoint.with_name("checkpoint.npz.until-recorded"))
    remove_recorded(checkpoint.parent, tmp_path / "dvc.lock")
    assert checkpoint.exists()
