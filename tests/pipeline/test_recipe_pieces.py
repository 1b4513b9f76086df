"""`src/recipe.py` with real DVC and a stage that takes no time: what it runs, and what it makes of that."""

import argparse
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, draw_predictions, dvc_environment
from sklearn.metrics import accuracy_score
from stub_experiments import COPYING_PIPELINE, list_ran, make_repository, watched, write_results

import recipe
from affect.experiments.reading import read_experiments
from affect.experiments.results import pieces
from affect.plumbing.errors import InputError
from affect.plumbing.stage import run_command

# Takes as its results those of the test's folder whose name says which pieces are there.
STAGE = """
import os, pathlib, shutil
from ruamel.yaml import YAML

params = YAML(typ="safe").load(pathlib.Path("params.yaml"))
weights = params["train"]["loss_weights"]
switches = {"mixup": params["train"]["mixup"], "dropout": params["model"]["dropout"]}
pieces = [name for name, there in switches.items() if there]
silent = [task for task, weight in weights.items() if not weight]
name = "+".join(pieces) + (f" {len(silent)} silent, {weights['emotion']:g}" if silent else "")
watched = pathlib.Path(os.environ["STUB"])
with (watched / "ran").open("a") as ran:
    ran.write(f"{name}, {params['data']['image_size']} px\\n")
shutil.copytree(watched / pieces[-1], "metrics", dirs_exist_ok=True)
"""
PIPELINE = COPYING_PIPELINE.replace("data, train", "data, train, model")
GIVEN = ("-S", "train.mixup=0.2", "-S", "model.dropout=0.4", "-S", "data.image_size=64", "--tasks")
NETWORK = "resnet50"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = make_repository(tmp_path_factory.mktemp("recipe") / "repository", STAGE, PIPELINE)
    for name, skill in (("mixup", 1), ("dropout", 3)):
        write_results(watched(made) / name, {NETWORK: draw_predictions(200, 1, skill=skill)}, 100)
    return made


@pytest.fixture(scope="module")
def printed(folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, str(ROOT / "src" / "recipe.py"), *GIVEN],
        cwd=folder,
        env=dvc_environment(folder) | {"STUB": str(watched(folder))},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_each_piece_is_taken_away_and_each_task_is_trained_alone(folder: Path, printed: str) -> None:
    assert list_ran(folder) == [
        "mixup+dropout, 64 px",
        "dropout, 64 px",
        "mixup, 64 px",
        "mixup+dropout 2 silent, 1, 64 px",
        "mixup+dropout 2 silent, 0, 64 px",
        "mixup+dropout 2 silent, 0, 64 px",
    ]
    names = [line.split("|")[1].strip() for line in printed.splitlines() if line.startswith("|")]
    assert names[2:] == [
        *("all pieces", "without mixup, CutMix", "without dropout"),
        *("emotion alone", "valence alone", "arousal alone"),
    ]


def test_the_table_has_the_changes_and_marks_those_beyond_chance(printed: str) -> None:
    cells = {row[0]: row[1:] for row in read_rows(printed)}
    full, worse = (draw_predictions(200, 1, skill=skill) for skill in (3, 1))
    values = [accuracy_score(each["expression"], each["predicted_expression"]) for each in (full, worse)]
    accuracy = cells[""].index("emotion accuracy")
    assert cells["all pieces"][accuracy].startswith(f"{values[0]:.3f} [")
    assert cells["without dropout"][accuracy].startswith(f"**{values[1] - values[0]:.3f} [-")
    assert cells["without mixup, CutMix"][accuracy] == "0.000 [0.000, 0.000]"


def test_a_recipe_as_a_whole_is_compared_with_that_of_params(
    folder: Path, printed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert printed
    monkeypatch.chdir(folder)
    tried_on = ["data.image_size=64", "train.seed=7", "model.weights=null"]
    parsed = argparse.Namespace(whole=True, tasks=False, overrides=[*GIVEN[1:4:2], *tried_on])
    assert recipe.list_variants(parsed) == {
        "all pieces": ["train.mixup=0.2", "model.dropout=0.4", *tried_on],
        "params.yaml's recipe": tried_on,
    }


def test_variants_of_other_images_are_not_paired(folder: Path, printed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert printed
    monkeypatch.chdir(folder)
    whole = [run for run in read_experiments() if run.is_experiment]
    part = whole[:1]
    full = draw_predictions(200, 1, skill=3)
    others = full.assign(id=full["id"].to_numpy()[::-1])
    monkeypatch.setattr(pieces, "read_variant", lambda experiments: {NETWORK: full if experiments == whole else others})
    with pytest.raises(InputError, match="without dropout held out other images than all pieces, or has other labels"):
        pieces.show_pieces({"all pieces": whole, "without dropout": part}, {})


def test_a_task_alone_says_nothing_of_the_others(printed: str) -> None:
    cells = {row[0]: row[1:] for row in read_rows(printed)}
    for task in ("emotion", "valence", "arousal"):
        for name, cell in zip(cells[""], cells[f"{task} alone"], strict=True):
            assert (cell == "not learnt") == (not name.startswith(task))


def read_rows(printed: str) -> list[list[str]]:
    lines = [line for line in printed.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["-S", "train.seed=3"], "-S train.seed=3: no piece of a recipe among them"),
        (["--folds", "1", "-S", "train.mixup=0.2"], "--folds 1: at least 2"),
        (["-S", "train.mixup=-1"], "train.mixup=-1: train.mixup is -1"),
        (["-S", "train.mixup=0.2,0.4"], "-S train.mixup=0.2,0.4: give one value for each parameter\n"),
        (["-S", "nonsense"], "-S nonsense: "),
        (["-S", "train.nonsense=1"], "-S train.nonsense=1: "),
        (["-S", "data/pretrain.yaml:seed=2"], "a sweep is over parameters of params.yaml"),
        (["-S", "train.mixup=0.0"], "without mixup, CutMix: the same parameters as all pieces"),
        (["-S", "data.image_size=64", "--whole"], "params.yaml's recipe: the same parameters as all pieces"),
    ],
)
def test_what_is_no_recipe_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], line: str
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "argv", ["recipe.py", *arguments])
    with pytest.raises(SystemExit) as stopped:
        run_command(recipe.main)
    assert f"{stopped.value.code}\n".startswith(f"recipe: {line}")
