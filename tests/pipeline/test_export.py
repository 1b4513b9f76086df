"""export.py as a stranger uses it: a file that runs without Keras, and nothing that was there before is gone."""

import hashlib
import re
import shutil
import subprocess
import sys
from functools import partial
from pathlib import Path

import keras
import numpy as np
import onnx
import pandas as pd
import pytest
from conftest import ROOT, draw_picture, run_in_process, snapshot
from occupied import OTHERS
from PIL import Image

import export
import predict
from affect.core.records import Card
from affect.models.backend import set_up
from affect.models.card import METADATA_KEY, ExportCard, make_card
from affect.models.saved_model import save_model

MODEL = "resnet50.keras"
run = partial(run_in_process, export)
SIZE = 16
PREPARED = Card(dataset="data/faces", layout="folders", align="none", images=10, hash="11aa", made_of=None)
AUGMENTED = Card(dataset="data/faces", layout="folders", align="none", images=16, hash="22bb", made_of="11aa")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny model that standardises its images, and a picture."""
    set_up(2)
    folder = tmp_path_factory.mktemp("export")
    image = keras.Input((SIZE, SIZE, 3))
    standard = keras.layers.Normalization(mean=(90.0, 100, 110), variance=(400.0, 500, 600))(image)
    features = keras.layers.Flatten()(keras.layers.Conv2D(4, 5, 3, activation="relu")(standard))
    outputs = {
        "emotion": keras.layers.Dense(8, "softmax", name="emotion")(features),
        **{task: keras.layers.Dense(1, "tanh", name=task)(features) for task in ("valence", "arousal")},
    }
    save_model(keras.Model(image, outputs), folder / MODEL, make_card(PREPARED, AUGMENTED, 8, SIZE))
    Image.fromarray(draw_picture(3, SIZE)).save(folder / "face.png")
    return folder


@pytest.fixture
def folder(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(template, tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


def test_the_file_predicts_what_the_model_does(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(MODEL, "-o", "face.onnx") is None
    assert capsys.readouterr().out.startswith("export: face.onnx, 0.0 MB, differs from resnet50.keras by ")
    tables = []
    for model in (MODEL, "face.onnx"):
        assert run_in_process(predict, model, "face.png", "-o", f"{model}.csv") is None
        tables.append(pd.read_csv(f"{model}.csv").drop(columns=["id", "predicted_expression"]))
    np.testing.assert_allclose(tables[1], tables[0], atol=1e-5)


def test_the_documented_lines_run_without_keras(folder: Path) -> None:
    assert run(MODEL, "-o", "efficientnetb1.onnx") is None
    (lines,) = re.findall(r"```python\n(.+?)```", (ROOT / "docs" / "export.md").read_text(), re.DOTALL)
    without = "import sys\nsys.modules |= {'keras': None, 'tensorflow': None}\n"
    printed = subprocess.run([sys.executable, "-I", "-c", without + lines], capture_output=True, text=True, check=True)
    name, *values = printed.stdout.split()
    assert run_in_process(predict, MODEL, "face.png", "-o", "face.csv") is None
    row = pd.read_csv("face.csv").iloc[0]
    assert name == row["predicted_expression"]
    expected = [row[f"p_{name}"], row["predicted_valence"], row["predicted_arousal"]]
    np.testing.assert_allclose(np.array(values, float), expected, atol=1e-5)


def test_the_same_model_is_the_same_bytes(folder: Path) -> None:
    for name in ("one.onnx", "two.onnx"):
        assert run(MODEL, "-o", name) is None
    assert Path("one.onnx").read_bytes() == Path("two.onnx").read_bytes()


def test_the_file_says_what_it_is(folder: Path) -> None:
    assert run(MODEL, "-o", "face.onnx") is None
    (entry,) = onnx.load("face.onnx").metadata_props
    assert entry.key == METADATA_KEY
    card = ExportCard.model_validate_json(entry.value)
    assert card.source == {"file": MODEL, "md5": hashlib.md5(Path(MODEL).read_bytes()).hexdigest()}
    assert card.model is not None
    assert card.model.trained_on.dataset == "data/faces"
    assert card.metrics is None
    assert card.parameters["parameters"] == keras.models.load_model(MODEL).count_params()


def test_a_difference_beyond_the_tolerance_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = snapshot(folder)
    monkeypatch.setattr(export, "TOLERANCE", -1.0)
    assert str(run(MODEL, "-o", "face.onnx")).startswith("export: face.onnx would differ from resnet50.keras by ")
    assert snapshot(folder) == before


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("face.png", "-o", "face.onnx"), "export: face.png: not a model of this repository: "),
        (("none.keras", "-o", "face.onnx"), "export: none.keras: no such model"),
        ((MODEL, "-o", "face.txt"), "export: -o face.txt: the name of a file in onnx ends in .onnx"),
    ],
)
def test_bad_input_leaves_nothing(folder: Path, arguments: tuple[str, ...], line: str) -> None:
    before = snapshot(folder)
    assert str(run(*arguments)).startswith(line)
    assert snapshot(folder) == before


@pytest.mark.parametrize("kind", OTHERS)
def test_nothing_is_replaced(folder: Path, kind: str) -> None:
    OTHERS[kind](Path("face.onnx"))
    before = snapshot(folder)
    assert "face.onnx is " in str(run(MODEL, "-o", "face.onnx"))
    assert snapshot(folder) == before
