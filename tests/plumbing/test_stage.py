"""A stage looks where it stands, and at its lock, before it does anything."""

from pathlib import Path

import pytest
from conftest import Workspace, refuse, snapshot
from occupied import OTHERS

import prepare
from affect.plumbing import paths
from affect.plumbing.stage import run_stage


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


@pytest.mark.parametrize("rank", ["0", "1"])
def test_of_several_processes_the_first_removes_what_is_recorded(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, rank: str
) -> None:
    """Another would find a note that is just being removed."""
    monkeypatch.chdir(workspace.folder)
    monkeypatch.setattr("sys.argv", ["train.py", "resnet50"])
    monkeypatch.setenv("SLURM_PROCID", rank)
    recorded = "0123456789abcdef" * 2
    paths.LOCK.write_text(f"md5: {recorded}")
    paths.CACHE.mkdir(parents=True)
    (paths.CACHE / "a.until-recorded").write_text(recorded)
    run_stage(lambda: None)
    locks = {"train-resnet50.lock" if rank == "0" else "train-resnet50-rank1.lock"}
    kept = set() if rank == "0" else {"a.until-recorded"}
    assert {file.name for file in paths.CACHE.iterdir()} == locks | kept
