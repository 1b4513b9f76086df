"""export.py as a stranger uses it: a file that runs without Keras, and nothing that was there before is gone."""

import hashlib
import os
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
import tensorflow as tf
from conftest import ROOT, draw_picture, run_in_process, snapshot
from occupied import OTHERS
from PIL import Image

import export
import predict
from affect.core.labels import EXPRESSIONS
from affect.core.predictions import PROBABILITIES
from affect.core.records import IMAGES_FILE, Card, create_images, write_card, write_index
from affect.export import writing
from affect.models.backend import set_up
from affect.models.card import METADATA_KEY, ExportCard, make_card
from affect.models.saved_model import read_card, save_model
from affect.plumbing import paths

MODEL = "resnet50.keras"
run = partial(run_in_process, export)
SIZE = 16
IMAGES = 48
FILES = {"onnx": "face.onnx", "litert": "face.tflite", "savedmodel": "face"}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny model that standardises its images, the records that it was trained on, and a picture."""
    set_up(2)
    folder = tmp_path_factory.mktemp("export")
    prepared = write_records(folder / paths.PREPARED)
    augmented = Card(
        dataset="data/faces", layout="folders", align="none", images=48, hash="22bb", made_of=prepared.hash
    )
    image = keras.Input((SIZE, SIZE, 3))
    bgr = keras.ops.flip(image, axis=-1)
    standard = keras.layers.Normalization(mean=(90.0, 100, 110), variance=(400.0, 500, 600))(bgr)
    features = keras.layers.Flatten()(keras.layers.Conv2D(4, 5, 3, activation="relu")(standard))
    outputs = {
        "emotion": keras.layers.Dense(8, "softmax", name="emotion")(features),
        **{task: keras.layers.Dense(1, "tanh", name=task)(features) for task in ("valence", "arousal")},
    }
    save_model(keras.Model(image, outputs), folder / MODEL, make_card(prepared, augmented, 40, SIZE))
    Image.fromarray(draw_picture(3, SIZE)).save(folder / "face.png")
    return folder


def write_records(folder: Path) -> Card:
    """Write drawn pictures, the last 8 of which are held out."""
    folder.mkdir(parents=True)
    images = create_images(folder / IMAGES_FILE, IMAGES, SIZE)
    images.write(0, np.stack([draw_picture(seed, SIZE) for seed in range(IMAGES)]))
    rows = np.arange(IMAGES)
    labels = {"expression": rows % 8, "valence": np.sin(rows).round(3), "arousal": np.cos(rows).round(3)}
    split = np.where(rows < IMAGES - 8, "train", "val")
    write_index(folder, pd.DataFrame({"id": [f"p{row}" for row in rows], **labels, "split": split}))
    return write_card(folder, "data/faces", "folders", "none", IMAGES)


@pytest.fixture
def folder(template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(template, tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


# As the precision allows on a network of a handful of weights, whose errors don't average out.
@pytest.mark.parametrize(("precision", "tolerance"), [("float32", 1e-5), ("float16", 2e-3), ("int8", 0.1)])
@pytest.mark.parametrize("chosen", ["onnx", "litert"])
def test_the_file_predicts_what_the_model_does(
    folder: Path, capsys: pytest.CaptureFixture[str], chosen: str, precision: str, tolerance: float
) -> None:
    file = FILES[chosen]
    assert run(MODEL, "--format", chosen, "--precision", precision, "-o", file) is None
    out = capsys.readouterr().out
    assert out.startswith(f"export: {file}, 0.0 MB, differs from resnet50.keras by ")
    assert out.count("\n") == 1
    assert (", calibrated on " in out) == (precision == "int8")
    tables = []
    for model in (MODEL, file):
        assert run_in_process(predict, model, "face.png", "--cropped", "-o", f"{model}.csv") is None
        tables.append(pd.read_csv(f"{model}.csv")[[*PROBABILITIES, "predicted_valence", "predicted_arousal"]])
    np.testing.assert_allclose(tables[1], tables[0], atol=tolerance)
    assert (tables[1] != tables[0]).any(axis=None) == (precision != "float32")


def test_nothing_is_printed_but_what_has_come_of_it(folder: Path) -> None:
    int8 = ("--format", "litert", "--precision", "int8", "-o", "face.tflite")
    done = subprocess.run(
        [sys.executable, ROOT / "src/export.py", MODEL, *int8], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("export: face.tflite, 0.0 MB, differs from resnet50.keras by ")
    assert [line for line in done.stderr.splitlines() if not line.startswith("export: warning: ")] == []


def test_a_saved_model_is_a_folder_that_tensorflow_loads(folder: Path) -> None:
    assert run(MODEL, "--format", "savedmodel", "-o", "face") is None
    picture = np.asarray(Image.open("face.png"), np.float32)[None]
    outputs = tf.saved_model.load("face").signatures["serving_default"](image=tf.constant(picture))
    expected = keras.models.load_model(MODEL).predict_on_batch(picture)
    assert set(outputs) == set(expected)
    for task, values in expected.items():
        np.testing.assert_allclose(outputs[task], values, atol=1e-5)
    card = ExportCard.model_validate_json(Path("face/assets.extra/affect.json").read_text())
    assert card.source["file"] == MODEL


@pytest.mark.parametrize(("place", "chosen", "ending"), [(0, "onnx", ".onnx"), (1, "litert", ".tflite")])
def test_the_documented_lines_run_without_keras(folder: Path, place: int, chosen: str, ending: str) -> None:
    assert run(MODEL, "--format", chosen, "-o", f"efficientnetb1{ending}") is None
    lines = re.findall(r"```python\n(.+?)```", (ROOT / "docs" / "export.md").read_text(), re.DOTALL)[place]
    without = "import sys\nsys.modules |= {'keras': None, 'tensorflow': None}\n"
    printed = subprocess.run([sys.executable, "-I", "-c", without + lines], capture_output=True, text=True, check=True)
    name, *values = printed.stdout.split()
    assert run_in_process(predict, MODEL, "face.png", "--cropped", "-o", "face.csv") is None
    row = pd.read_csv("face.csv").iloc[0]
    assert name in (row["predicted_expression"], str(EXPRESSIONS.index(row["predicted_expression"])))
    expected = [row[f"p_{row['predicted_expression']}"], row["predicted_valence"], row["predicted_arousal"]]
    np.testing.assert_allclose(np.array(values, float), expected, atol=1e-5)


@pytest.mark.parametrize(("chosen", "ending"), [("onnx", ".onnx"), ("litert", ".tflite")])
@pytest.mark.parametrize("precision", ["float32", "float16", "int8"])
def test_the_same_model_is_the_same_bytes(folder: Path, chosen: str, ending: str, precision: str) -> None:
    for name in ("one", "two"):
        assert run(MODEL, "--format", chosen, "--precision", precision, "-o", name + ending) is None
    assert Path(f"one{ending}").read_bytes() == Path(f"two{ending}").read_bytes()


def test_a_saved_model_is_the_same_bytes_in_another_process(folder: Path) -> None:
    for seed in ("1", "2"):
        command = [sys.executable, ROOT / "src/export.py", MODEL, "--format", "savedmodel", "-o", f"face{seed}"]
        subprocess.run(command, check=True, capture_output=True, env=os.environ | {"PYTHONHASHSEED": seed})
    assert snapshot(Path("face1")) == snapshot(Path("face2"))


def test_a_text_beside_the_file_says_what_it_is(folder: Path) -> None:
    assert run(MODEL, "-o", "face.onnx") is None
    text = Path("face.onnx.md").read_text()
    assert text.startswith("# face.onnx\n\nExported from `resnet50.keras` (MD5 `")
    assert "Trained on 40 images of `data/faces`" in text
    assert "Not known: no run in this repository has evaluated this very model" in text


def test_int8_is_calibrated_on_what_the_model_was_trained_on(folder: Path) -> None:
    int8 = (MODEL, "--precision", "int8", "-o", "face.onnx")
    index = paths.PREPARED / "index.csv"
    index.write_text(index.read_text().replace("p0,", "q0,"))
    write_card(paths.PREPARED, "data/faces", "folders", "none", IMAGES)
    before = snapshot(folder)
    assert "data/prepared holds others; bring them back" in str(run(*int8))
    shutil.rmtree(paths.PREPARED)
    assert "data/prepared is not there; make it with `dvc repro`" in str(run(*int8))
    assert not Path("face.onnx").exists()
    assert set(snapshot(folder)) < set(before)


def test_a_network_that_answers_alike_has_no_ranges(folder: Path) -> None:
    model = keras.models.load_model(MODEL)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            layer.set_weights([0 * layer.get_weights()[0], np.array([1, 1 + 2e-7, 1, 1], np.float32)])
    save_model(model, Path("alike.keras"), read_card(Path(MODEL)))
    before = snapshot(folder)
    line = run("alike.keras", "--precision", "int8", "-o", "face.onnx")
    assert line == (
        "export: int8 needs activations that differ between images, and a layer of this network gives the same for "
        "all; train it, or export it in float16"
    )
    assert snapshot(folder) == before


def test_a_loss_is_warned_of(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(writing, "MAX_LOSS", -1.0)
    assert run(MODEL, "--precision", "int8", "-o", "face.onnx") is None
    warnings = capsys.readouterr().err.splitlines()
    assert [line.split(" falls from ")[0] for line in warnings] == [
        "export: warning: emotion accuracy",
        "export: warning: valence ccc",
        "export: warning: arousal ccc",
    ]
    assert all(" on 8 held-out images" in line for line in warnings)


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


def test_what_is_no_number_is_not_written(folder: Path) -> None:
    model = keras.models.load_model(MODEL)
    layer = next(layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D))
    layer.bias.assign(np.full(4, np.nan))
    model.save("broken.keras")
    before = snapshot(folder)
    for options in ((), ("--precision", "float16")):
        line = run("broken.keras", "-o", "broken.onnx", *options)
        assert line is not None
        assert line.startswith("export: broken.onnx would put out what is no number: a weight of broken.keras is none")
    assert snapshot(folder) == before


@pytest.mark.parametrize(
    ("shape", "width", "takes"),
    [((16, 16, 1), 1, "image [None, 16, 16, 1]"), ((16, 8, 3), 1, "image [None, 16, 8, 3]"), ((16, 16, 3), 2, "image")],
)
def test_a_model_of_other_shapes_is_refused_in_a_line(
    folder: Path, shape: tuple[int, int, int], width: int, takes: str
) -> None:
    image = keras.Input(shape)
    flat = keras.layers.Flatten()(image)
    outputs = {"emotion": keras.layers.Dense(8)(flat), "valence": keras.layers.Dense(width)(flat)}
    keras.Model(image, outputs).save("other.keras")
    line = run("other.keras", "-o", "other.onnx")
    assert line is not None
    assert line.startswith(f"export: other.keras: not a model of this repository: it takes {takes}")


def test_a_difference_beyond_the_tolerance_leaves_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = snapshot(folder)
    monkeypatch.setattr(writing, "TOLERANCE", -1.0)
    assert str(run(MODEL, "-o", "face.onnx")).startswith("export: face.onnx would differ from resnet50.keras by ")
    assert snapshot(folder) == before


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("face.png", "-o", "face.onnx"), "export: face.png: not a model of this repository: "),
        (("none.keras", "-o", "face.onnx"), "export: none.keras: no such model"),
        ((MODEL, "-o", "face.txt"), "export: -o face.txt: the name of a model in onnx ends in .onnx"),
        (
            (MODEL, "--format", "savedmodel", "-o", "f.x"),
            "export: -o f.x: the name of a model in savedmodel has no ending",
        ),
        (
            (MODEL, "--format", "savedmodel", "--precision", "int8", "-o", "f"),
            "export: --precision int8: savedmodel has",
        ),
    ],
)
def test_bad_input_leaves_nothing(folder: Path, arguments: tuple[str, ...], line: str) -> None:
    before = snapshot(folder)
    assert str(run(*arguments)).startswith(line)
    assert snapshot(folder) == before


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize(("chosen", "taken"), [("onnx", "face.onnx"), ("onnx", "face.onnx.md"), ("savedmodel", "face")])
def test_nothing_is_replaced(folder: Path, kind: str, chosen: str, taken: str) -> None:
    OTHERS[kind](Path(taken))
    before = snapshot(folder)
    assert f"{taken} is " in str(run(MODEL, "--format", chosen, "-o", FILES[chosen]))
    assert snapshot(folder) == before
