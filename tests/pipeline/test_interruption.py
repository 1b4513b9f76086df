"""What ends a stage early: it leaves nothing unfinished, and a killed training goes on where it was."""

import fcntl
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest
from conftest import ROOT, Workspace, restore_ctrl_c, write_face

from affect.core.records import read_records

BACKBONE = "mobilenetv3large"
QUICK = {"backbones": [BACKBONE], "data.image_size": 32, "augment.copies": 1, "model.weights": None}

MODERN = {
    **{"train.epochs": 3, "train.weight_decay": 0.05, "train.schedule": "cosine", "train.warm_up": 0.1},
    **{"train.weight_averaging": 0.9, "train.sampling": "sqrt", "train.label_smoothing": 0.1, "train.mixup": 0.2},
    **{"train.cutmix": 1.0, "train.va_loss": "both", "model.fine_tune_layers": "all", "model.dropout": 0.4},
    **{"augment.online": True, "augment.grey": 0.1, "augment.erase": 0.25},
}


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
        preexec_fn=restore_ctrl_c,  # noqa: PLW1509, the tests start no threads
    )


def press_ctrl_c(process: subprocess.Popen[str]) -> None:
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode != 0


def wait_for_file(folder: Path, pattern: str) -> None:
    deadline = time.monotonic() + 60
    while not list(folder.glob(pattern)):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def files(workspace: Workspace) -> set[Path]:
    found = {file for file in workspace.folder.rglob("*") if file.is_file() and "metrics" not in file.parts}
    return {file for file in found if file.suffix != ".lock" and not file.name.endswith(".checkpoint.npz")}


def checkpoint(workspace: Workspace) -> Path:
    return workspace.folder / "data" / "cache" / f"{BACKBONE}.checkpoint.npz"


def trained(workspace: Workspace) -> dict[str, bytes]:
    """What a training has left, by its path."""
    folders = (workspace.folder / "models", workspace.folder / "metrics" / "train")
    return {str(file): file.read_bytes() for folder in folders for file in sorted(folder.rglob("*")) if file.is_file()}


@pytest.mark.parametrize(("script", "output"), [("prepare", "prepared"), ("augment", "augmented")])
def test_ctrl_c_leaves_nothing_unfinished(prepared: Workspace, script: str, output: str) -> None:
    before = files(prepared)
    prepared.set_params(**{"augment.copies": 5000, "data.image_size": 1024 if script == "prepare" else 32})
    process = start(prepared, script)
    wait_for_file(prepared.folder / "data", f"affect.tmp.*/{output}/*.npy")
    press_ctrl_c(process)
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
    wait_for_line(process, "epoch 1/")
    press_ctrl_c(process)
    assert files(prepared) == before


def kill_in_epoch(workspace: Workspace, epoch: int) -> None:
    before = files(workspace)
    process = start(workspace, "train", BACKBONE)
    for finished in range(1, epoch):
        wait_for_line(process, f"epoch {finished}/")
        assert read_epochs(workspace) == list(range(1, finished + 1))
    process.kill()
    process.communicate()
    assert checkpoint(workspace).exists()
    assert {file for file in files(workspace) if "affect.tmp." not in str(file)} == before


def read_epochs(workspace: Workspace) -> list[int]:
    """The epochs of the curves' points, after the check that the files have the same, in whole lines."""
    folder = workspace.folder / "metrics" / "train" / BACKBONE
    table, curve = folder / "curves.csv", folder / "plots" / "metrics" / "val" / "emotion_accuracy.tsv"
    assert table.read_text().endswith("\n")
    assert curve.read_text().endswith("\n")
    counts = pd.read_csv(table).dropna()["epoch"].value_counts(sort=False)
    assert (counts == 8).all(), "four measures, of training and validation"
    assert (pd.read_csv(curve, sep="\t")["step"] + 1).to_list() == counts.index.to_list()
    return counts.index.to_list()


def test_a_killed_training_goes_on_to_the_same_bytes(prepared: Workspace) -> None:
    prepared.set_params(**{"train.epochs": 4})
    assert prepared.run_script("train", BACKBONE).returncode == 0
    expected = trained(prepared)
    assert len(expected) == 23
    kill_in_epoch(prepared, 3)
    assert read_epochs(prepared) in ([1, 2], [1, 2, 3])
    assert not (prepared.folder / "metrics" / "train" / BACKBONE / "metrics.json").exists()
    result = prepared.run_script("train", BACKBONE)
    assert re.search(rf"train: goes on after epoch [23], from data/cache/{BACKBONE}.checkpoint.npz", result.stdout)
    assert trained(prepared) == expected
    assert not checkpoint(prepared).exists()


def test_a_killed_training_by_the_modern_recipe_goes_on_to_the_same_bytes_whatever_the_processes(
    prepared: Workspace,
) -> None:
    prepared.set_params(**MODERN)
    assert prepared.run_script("train", BACKBONE, processes=1).returncode == 0
    expected = trained(prepared)
    kill_in_epoch(prepared, 2)
    result = prepared.run_script("train", BACKBONE, processes=3)
    assert f"train: goes on after epoch 1, from data/cache/{BACKBONE}.checkpoint.npz" in result.stdout
    assert trained(prepared) == expected


def test_curves_of_a_training_that_has_not_ended_are_not_evaluated(workspace: Workspace) -> None:
    workspace.set_params(backbones=[BACKBONE])
    for file in (f"models/{BACKBONE}.keras", f"metrics/train/{BACKBONE}/curves.csv"):
        (workspace.folder / file).parent.mkdir(parents=True)
        (workspace.folder / file).touch()
    result = workspace.run_script("evaluate")
    assert result.returncode == 1
    assert result.stderr == (
        f"evaluate: metrics/train/{BACKBONE}/metrics.json is missing, so the training of {BACKBONE} has not ended; "
        f"`dvc repro train@{BACKBONE}` goes on with it\n"
    )


def test_a_killed_training_of_other_data_starts_afresh(prepared: Workspace) -> None:
    prepared.set_params(**{"train.epochs": 3})
    kill_in_epoch(prepared, 3)
    prepared.set_params(**{"augment.flip": 0.4})
    assert prepared.run_script("augment").returncode == 0
    result = prepared.run_script("train", BACKBONE)
    assert "goes on" not in result.stdout
    assert "epoch 1/3" in result.stdout
    assert not checkpoint(prepared).exists()


def test_training_that_fails_leaves_no_features(prepared: Workspace) -> None:
    before = files(prepared)
    prepared.set_params(**{"train.learning_rate": 1e30})
    result = prepared.run_script("train", BACKBONE)
    assert result.returncode == 1
    assert "lower train.learning_rate" in result.stderr
    assert files(prepared) == before


def test_a_stage_that_fails_leaves_nothing_unfinished(workspace: Workspace) -> None:
    for number in range(8):
        write_face(workspace.raw, number, 11)
    result = workspace.run_script("prepare")
    assert result.returncode == 1
    assert "8 of 8 images are faulty" in result.stderr
    assert not list((workspace.folder / "data").glob("affect.tmp.*"))


def test_a_second_run_of_a_stage_waits_for_the_first(prepared: Workspace) -> None:
    prepared.set_params(**{"augment.copies": 2000})
    first = start(prepared, "augment")
    wait_for_file(prepared.folder / "data", "affect.tmp.*/augmented/*.npy")
    prepared.set_params(**{"augment.copies": 1})
    second = start(prepared, "augment")
    wait_for_line(second, "augment: waits for another run of it to end")
    assert first.poll() is None
    assert "128000 with their copies" not in second.communicate()[0]
    assert first.wait() == second.wait() == 0
    assert len(read_records(prepared.folder / "data" / "augmented").index) == 2 * 48


def start_under_dvc(workspace: Workspace, stage: str, *command: str) -> subprocess.Popen[str]:
    """Start what DVC starts, from a process that stands for DVC."""
    script = [sys.executable, "-u", str(ROOT / "src" / command[0]), *command[1:]]
    return subprocess.Popen(
        [sys.executable, "-c", f"import subprocess; subprocess.run({script!r})"],
        cwd=workspace.folder,
        env=os.environ | {"DVC_STAGE": stage},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_stage_that_was_overtaken_writes_nothing(prepared: Workspace) -> None:
    """Its DVC is gone, and the next one's has finished while it was stopped."""
    with (prepared.folder / "data" / "cache" / "augment.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        dvc = start_under_dvc(prepared, "augment", "augment.py")
        wait_for_line(dvc, "augment: waits for another run of it to end")
        (stage,) = psutil.Process(dvc.pid).children()
        stage.suspend()
        # Until it stands still, it could still take the lock.
        while stage.status() != psutil.STATUS_STOPPED:
            time.sleep(0.01)
        dvc.kill()
    assert prepared.run_script("augment").returncode == 0
    written = (prepared.folder / "data" / "augmented" / "images.npy").stat().st_mtime_ns
    stage.resume()
    assert "augment: the DVC that started it is gone; dvc repro goes on" in dvc.communicate(timeout=30)[0]
    assert (prepared.folder / "data" / "augmented" / "images.npy").stat().st_mtime_ns == written


def test_a_stage_ends_with_the_dvc_that_started_it(prepared: Workspace) -> None:
    prepared.set_params(**{"train.epochs": 10000})
    dvc = start_under_dvc(prepared, f"train@{BACKBONE}", "train.py", BACKBONE)
    wait_for_line(dvc, "epoch 1/")
    dvc.kill()
    # The output ends when the stage does.
    output, _ = dvc.communicate(timeout=30)
    assert "the DVC that started it is gone" in output
    assert not list((prepared.folder / "models").glob("*"))
