"""`src/folds.py` with real DVC and a stage that takes no time: what runs, after an interruption too, and is said."""

import json
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT, draw_predictions, dvc_environment, restore_ctrl_c
from sklearn.metrics import f1_score
from stub_experiments import COPYING_PIPELINE, COPYING_STAGE, list_ran, make_repository, watched, write_results

import folds
from affect.core.files import write_table
from affect.experiments.reading import read_experiments
from affect.plumbing.stage import run_command

NETWORKS = ("resnet50", "efficientnetb1")
IMAGES = 80
FOLDS = 2
# Seconds, on a machine that has other things to do as well.
PATIENCE = 300


@dataclass(frozen=True)
class Scenario:
    """Two folds, of which the second was interrupted, and then run to their end."""

    folder: Path
    interrupted: list[str]
    ran_after_interruption: list[str]
    code: int
    printed: str
    said: list[str]


def write_fold(folder: Path, number: int) -> None:
    held_out = np.arange(IMAGES) % FOLDS == number - 1
    tables = {name: draw_predictions(IMAGES, 1, skill=skill) for skill, name in enumerate(NETWORKS, start=1)}
    results = watched(folder) / f"fold-{number}"
    write_results(results, {name: table[held_out] for name, table in tables.items()}, int((~held_out).sum()))
    ids = tables[NETWORKS[0]]["id"]
    write_table(results / "split.csv", pd.DataFrame({"id": ids, "split": np.where(held_out, "test", "train")}))


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(ROOT / "src" / "folds.py"), *arguments],
        cwd=folder,
        env=dvc_environment(folder) | {"STUB": str(watched(folder))},
        stdout=-1,
        stderr=-1,
        text=True,
        preexec_fn=restore_ctrl_c,  # noqa: PLW1509, the tests start no threads
    )


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Scenario:
    folder = make_repository(tmp_path_factory.mktemp("folds") / "repository", COPYING_STAGE, COPYING_PIPELINE)
    for number in range(1, FOLDS + 1):
        write_fold(folder, number)
    hold = watched(folder) / "hold-fold-2"
    hold.touch()
    command = ("--folds", str(FOLDS), "-S", "train.epochs=3")
    process = start(folder, *command)
    deadline = time.monotonic() + PATIENCE
    while len(list_ran(folder)) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    interrupted = process.communicate(timeout=PATIENCE)[1].splitlines()
    ran = list_ran(folder)
    hold.unlink()
    process = start(folder, *command)
    printed, said = process.communicate(timeout=PATIENCE)
    return Scenario(folder, interrupted, ran, process.returncode, printed, said.splitlines())


def test_an_interrupted_cross_validation_goes_on_with_the_fold_that_it_lacks(scenario: Scenario) -> None:
    said = ["2 of 2: folds-2 stopped; the same command goes on with it", "folds: interrupted"]
    assert scenario.interrupted[-2:] == said
    assert scenario.ran_after_interruption == ["fold-1", "fold-2"]
    assert scenario.code == 0, scenario.said
    assert scenario.said[0] == "1 of 2: data.folds=2 data.fold=1 train.epochs=3 has been run: folds-1"
    assert list_ran(scenario.folder) == ["fold-1", "fold-2", "fold-2"]


def test_the_experiments_are_of_the_folds_and_of_the_further_parameters(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(scenario.folder)
    names = ("data.folds", "data.fold", "train.epochs")
    found = {each.name: tuple(map(each.params.get, names)) for each in read_experiments() if each.is_experiment}
    assert found == {"folds-1": (2, 1, 3), "folds-2": (2, 2, 3)}


def test_mean_and_deviation_are_over_the_folds(scenario: Scenario) -> None:
    found = [
        json.loads((watched(scenario.folder) / f"fold-{number}" / "evaluate.json").read_text()) for number in (1, 2)
    ]
    lines = scenario.printed.splitlines()
    assert lines[0] == "Mean ± standard deviation over 2 runs, data.fold 1, 2:"
    for task, metric in (("emotion", "accuracy"), ("valence", "rmse"), ("arousal", "ccc")):
        (row,) = (line for line in lines[:21] if line.startswith(f"| {task} {metric} "))
        for cell, network in zip(row.split("|")[2:], NETWORKS, strict=False):
            values = [results[network][task][metric] for results in found]
            assert cell.strip() == f"{np.mean(values):.3f} ± {np.std(values, ddof=1):.3f}"


def test_pooled_metrics_are_of_all_images_together(scenario: Scenario) -> None:
    _, pooled = scenario.printed.split("Pooled out-of-fold predictions: each of 80 images ")
    for place, network in enumerate(NETWORKS, start=2):
        files = [watched(scenario.folder) / f"fold-{number}" / "predictions" / f"{network}.csv" for number in (1, 2)]
        table = pd.concat([pd.read_csv(file) for file in files])
        f1 = f1_score(table["expression"], table["predicted_expression"], average="macro")
        accuracy = np.mean(table["expression"] == table["predicted_expression"])
        for metric, value in (("accuracy", accuracy), ("f1", f1)):
            row = re.search(rf"^\| emotion {metric} .*$", pooled, re.MULTILINE)
            assert row is not None
            assert re.fullmatch(rf"{value:.3f} \[0\.\d+, 0\.\d+\]", row[0].split("|")[place].strip())
    assert re.search(
        r"^\| emotion accuracy +\| resnet50 - efficientnetb1 +\| -0\.\d+ .*\| efficientnetb1", pooled, re.M
    )
    assert max(map(len, scenario.printed.splitlines())) <= 120


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--folds", "1"], "--folds 1: at least 2, one to be predicted and one to train on"),
        (
            ["-S", "data.fold=2"],
            "-S data.fold=2: --folds says how many",
        ),
        (["--folds", "3", "-S", "data.folds=2"], "-S data.folds=2: --folds says how many"),
        (["-S", "train.seed=1,2"], "-S train.seed=1,2: give one value for each parameter, and none for"),
        (
            ["-S", "data.split_file=data/splits/mine.csv"],
            "data.folds=5 data.fold=1 data.split_file=data/splits/mine.csv: ",
        ),
    ],
)
def test_what_cannot_be_cross_validated_is_refused_before_anything_runs(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch, arguments: list[str], line: str
) -> None:
    ran = list_ran(scenario.folder)
    monkeypatch.chdir(scenario.folder)
    monkeypatch.setattr(sys, "argv", ["folds.py", *arguments])
    with pytest.raises(SystemExit) as stopped:
        run_command(folds.main)
    assert str(stopped.value.code).startswith(f"folds: {line}")
    assert list_ran(scenario.folder) == ran
