"""Whatever ends a stage early, nothing of it is left on disk."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import ROOT, Workspace, write_face

BACKBONE = "efficientnetb1"
QUICK = {"backbones": [BACKBONE], "data.image_size": 32, "augment.copies": 1, "model.weights": None}


@pytest.fixture
def prepared(workspace: Workspace) -> Workspace:
    workspace.set_params(**QUICK)
    for number in range(64):
        write_face(workspace.raw, number, number % 8)
    for script in ("prepare", "augment"):
        assert workspace.run_script(script).returncode == 0
    return workspace


def start(workspace: Workspace, *command: str) -> subprocess.Popen[str]:
    """Start a script in a process group of its own, as a shell does, so that Ctrl-C reaches its workers too."""
    script, *arguments = command
    return subprocess.Popen(
        [sys.executable, "-u", ROOT / "src" / f"{script}.py", *arguments],
        cwd=workspace.folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # Started in the background, as by a CI server, the tests ignore Ctrl-C and would pass that on.
        preexec_fn=restore_ctrl_c,  # noqa: PLW1509, the tests start no threads
    )


def restore_ctrl_c() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def press_ctrl_c(process: subprocess.Popen[str]) -> None:
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode != 0


def files(workspace: Workspace) -> set[Path]:
    return {file for file in workspace.folder.rglob("*") if file.is_file() and "metrics" not in file.parts}


@pytest.mark.parametrize(("script", "output"), [("prepare", "prepared"), ("augment", "augmented")])
def test_ctrl_c_leaves_nothing_unfinished(prepared: Workspace, script: str, output: str) -> None:
    before = files(prepared)
    prepared.set_params(**{"augment.copies": 5000, "data.image_size": 1024 if script == "prepare" else 32})
    unfinished = prepared.folder / "data" / f"{output}.tmp"
    process = start(prepared, script)
    deadline = time.monotonic() + 60
    while not list(unfinished.glob("*.npy")):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.01)
    press_ctrl_c(process)
    assert not unfinished.exists()
    assert files(prepared) == before


def wait_for_line(process: subprocess.Popen[str], beginning: str) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(beginning):
            return
    pytest.fail(f"no line began with {beginning}")


def test_ctrl_c_in_training_leaves_no_features(prepared: Workspace) -> None:
    before = files(prepared)
    prepared.set_params(**{"train.epochs": 10000})
    process = start(prepared, "train", BACKBONE)
    wait_for_line(process, "Epoch 2")
    press_ctrl_c(process)
    assert not list((prepared.folder / "data" / "cache").iterdir())
    assert files(prepared) == before


def test_a_killed_training_leaves_no_features(prepared: Workspace) -> None:
    prepared.set_params(**{"train.epochs": 10000})
    process = start(prepared, "train", BACKBONE)
    wait_for_line(process, "Epoch 2")
    process.kill()
    process.communicate()
    assert not list((prepared.folder / "data" / "cache").iterdir())


def test_training_that_fails_leaves_no_features(prepared: Workspace) -> None:
    prepared.set_params(**{"train.learning_rate": 1e30})
    result = prepared.run_script("train", BACKBONE)
    assert result.returncode == 1
    assert "lower train.learning_rate" in result.stderr
    assert not list((prepared.folder / "data" / "cache").iterdir())


def test_a_stage_that_fails_leaves_nothing_unfinished(workspace: Workspace) -> None:
    for number in range(8):
        write_face(workspace.raw, number, 11)
    result = workspace.run_script("prepare")
    assert result.returncode == 1
    assert "8 of 8 images are faulty" in result.stderr
    assert not list((workspace.folder / "data").glob("*.tmp"))
