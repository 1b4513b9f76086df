"""A stage looks where it stands, and at its lock, before it does anything."""

from pathlib import Path

import pytest
from conftest import Workspace, refuse, snapshot
from occupied import OTHERS

import prepare


def test_a_stage_away_from_the_root_leaves_nothing(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace.params.unlink()
    before = snapshot(workspace.folder)
    monkeypatch.setattr("sys.argv", ["prepare.py"])
    line = refuse(workspace, monkeypatch, prepare.main)
    assert line.startswith("prepare: params.yaml: cannot be read")
    assert line.endswith("run from the repository's root")
    assert snapshot(workspace.folder) == before


@pytest.mark.parametrize("kind", OTHERS)
def test_what_is_in_the_place_of_a_lock_stays(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    place = workspace.folder / "data" / "cache" / "prepare.lock"
    place.parent.mkdir(parents=True)
    OTHERS[kind](place)
    before = snapshot(workspace.folder)
    monkeypatch.setattr("sys.argv", ["prepare.py"])
    line = refuse(workspace, monkeypatch, prepare.main)
    assert line.startswith(
        "prepare: data/cache/prepare.lock is no file, where a lock is to be held; it is left as it is"
    )
    assert snapshot(workspace.folder) == before


def test_a_dangling_link_in_the_place_of_a_lock_makes_no_file(
    workspace: Workspace, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere: Path = tmp_path_factory.mktemp("elsewhere") / "made"
    place = workspace.folder / "data" / "cache" / "prepare.lock"
    place.parent.mkdir(parents=True)
    place.symlink_to(elsewhere)
    monkeypatch.setattr("sys.argv", ["prepare.py"])
    assert "is no file" in refuse(workspace, monkeypatch, prepare.main)
    assert not elsewhere.exists()
