"""Metrics belong to parameters, and to all that they depend on."""

import threading
from pathlib import Path
from typing import Any

import pytest

from affect.experiments import reading
from affect.experiments.workspaces import read_note

PARAMS = {"sample.images": 80, "data.seed": 42, "train.learning_rate": 1e-05}


def make_stage(params: dict[str, Any], dep: tuple[str, str], out: tuple[str, str]) -> dict[str, Any]:
    (read, before), (made, after) = dep, out
    return {
        "params": {"params.yaml": params},
        "deps": [{"path": read, "md5": before}],
        "outs": [{"path": made, "md5": after}],
    }


def make_lock() -> list[dict[str, Any]]:
    """As YAML 1.1 reads the lock files."""
    return [
        make_stage({"sample": {"images": 80}}, ("src", "a"), ("data/sample", "b")),
        make_stage({"data": {"seed": 42}}, ("data/sample", "b"), ("data/prepared", "d")),
        make_stage({"train": {"learning_rate": "1e-05"}}, ("data/prepared", "d"), ("metrics/evaluate.json", "e")),
        make_stage({"sample": {"images": 7}}, ("src", "a"), ("data/other", "f")),
    ]


def test_metrics_are_of_a_run_though_the_lock_has_a_network_that_is_no_longer_trained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`dvc exp run -S backbones=[efficientnetb1]` leaves what dvc.lock holds of the other."""
    lock = make_lock()
    lock[2]["deps"].append({"path": "models", "md5": "g"})
    lock.append(make_stage({"train": {"learning_rate": 0.5}}, ("data/prepared", "d"), ("models/resnet50.keras", "h")))
    monkeypatch.setattr(reading, "read_locks", lambda revision: lock)
    assert reading._are_of(PARAMS, "workspace")


@pytest.mark.parametrize("name", PARAMS)
def test_metrics_are_of_the_parameters_of_all_stages_that_led_to_them(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(reading, "read_locks", lambda revision: make_lock())
    assert reading._are_of(PARAMS, "workspace")
    assert not reading._are_of(PARAMS | {name: 81}, "workspace")


def test_metrics_are_not_of_what_a_stage_has_made_since(monkeypatch: pytest.MonkeyPatch) -> None:
    """`dvc exp run -S sample.images=80 data/dvc.yaml:sample` draws faces, and trains nothing on them."""
    lock = make_lock()
    lock[0]["outs"][0]["md5"] = "new"
    monkeypatch.setattr(reading, "read_locks", lambda revision: lock)
    assert not reading._are_of(PARAMS, "workspace")


def test_a_note_that_dvc_is_writing_is_waited_for(tmp_path: Path) -> None:
    note = tmp_path / "temp.run"
    note.touch()
    writer = threading.Timer(0.2, note.write_text, ['{"name": "trial"}'])
    writer.start()
    assert read_note(note) == {"name": "trial"}
    writer.join()
