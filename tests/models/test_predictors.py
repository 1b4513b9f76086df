"""Whatever file a network is in, it gives the same predictions; what is no such file is refused in a line."""

from pathlib import Path

import keras
import numpy as np
import onnx
import pandas as pd
import pytest
from ai_edge_litert.interpreter import Interpreter

from affect.core.labels import EXPRESSIONS
from affect.core.predictions import PREDICTED
from affect.export.litert.conversion import write_litert
from affect.export.onnx.conversion import write_onnx
from affect.models.backend import set_up
from affect.models.card import METADATA_KEY, ExportCard
from affect.models.multitask import Heads, build_model
from affect.models.predictors import Predictor, open_predictor
from affect.models.predictors.litert_file import LiteRTPredictor
from affect.models.predictors.onnx_file import OnnxPredictor
from affect.models.saved_model import save_model
from affect.plumbing.errors import InputError

SIZE = 32
ENDINGS = (".onnx", ".tflite")
CARD = ExportCard(
    source={"file": "network.keras", "md5": "11aa"},
    precision="float32",
    expressions=list(EXPRESSIONS),
    model=None,
    parameters={"parameters": 10, "trainable_parameters": 5},
    metrics=None,
    licence="MIT",
)
IMAGES = np.random.default_rng(4).integers(0, 256, (7, 4, 4, 3), np.uint8).repeat(8, 1).repeat(8, 2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network in each format, whose outputs depend on the image."""
    set_up(3)
    folder = tmp_path_factory.mktemp("predictors")
    model = build_model("mobilenetv3large", SIZE, None, 10, Heads(8, 8, 8), ("emotion", "valence")).full
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum, layer.trainable = 0.0, True
    model(IMAGES.astype(np.float32), training=True)
    save_model(model, folder / "network.keras")
    write_onnx(model, CARD, folder / "network.onnx")
    write_litert(model, CARD, folder / "network.tflite")
    return folder


def predict(predictor: Predictor, *batches: np.ndarray, mirror: bool = False) -> pd.DataFrame:
    return predictor.predict(iter(batches), mirror)[PREDICTED]


@pytest.mark.parametrize("mirror", [False, True])
@pytest.mark.parametrize("ending", ENDINGS)
def test_an_exported_file_predicts_what_keras_does(folder: Path, ending: str, mirror: bool) -> None:
    original, exported = (open_predictor(folder / f"network{each}") for each in (".keras", ending))
    assert exported.image_size == original.image_size == SIZE
    expected = predict(original, IMAGES, mirror=mirror)
    assert expected["p_happy"].std() > 1e-3
    assert expected["predicted_arousal"].isna().all()
    for parts in ((IMAGES[:3], IMAGES[3:]), (IMAGES,), tuple(IMAGES[:, None])):
        np.testing.assert_allclose(predict(exported, *parts, mirror=mirror), expected, atol=1e-5)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("fault", ["swapped channels", "another resize"])
def test_another_preprocessing_would_be_seen(folder: Path, fault: str, ending: str) -> None:
    exported = open_predictor(folder / f"network{ending}")
    other = IMAGES[..., ::-1] if fault == "swapped channels" else np.roll(IMAGES, 1, axis=2)
    assert np.abs(predict(exported, other) - predict(exported, IMAGES)).max(axis=None) > 1e-3


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_file_says_what_it_is(folder: Path, ending: str) -> None:
    file = folder / f"network{ending}"
    exported = open_predictor(file)
    assert isinstance(exported, OnnxPredictor | LiteRTPredictor)
    assert exported.exported == CARD
    assert exported.size() == CARD.parameters | {"size_mb": round(file.stat().st_size / 1e6, 1)}


def test_onnx_names_what_it_takes_and_returns(folder: Path) -> None:
    model = onnx.load(folder / "network.onnx")
    assert {entry.key: entry.value for entry in model.metadata_props} == {METADATA_KEY: CARD.model_dump_json()}
    assert [given.name for given in model.graph.input] == ["image"]
    assert [made.name for made in model.graph.output] == ["emotion", "valence"]


def test_litert_names_what_it_takes_and_returns(folder: Path) -> None:
    runner = Interpreter(str(folder / "network.tflite")).get_signature_runner("serving_default")
    outputs = runner(image=IMAGES[:1].astype(np.float32))
    assert {name: values.shape for name, values in outputs.items()} == {"emotion": (1, 8), "valence": (1, 1)}


@pytest.mark.parametrize("ending", ENDINGS)
def test_no_model_is_refused_in_a_line(folder: Path, tmp_path: Path, ending: str) -> None:
    (tmp_path / f"text{ending}").write_text("no model")
    (tmp_path / f"empty{ending}").touch()
    content = (folder / f"network{ending}").read_bytes()
    (tmp_path / f"short{ending}").write_bytes(content[: len(content) // 2])
    for name in ("text", "empty", "short"):
        with pytest.raises(InputError, match=rf"{name}\{ending}: (ONNX Runtime|LiteRT) can't run it: .+") as refused:
            open_predictor(tmp_path / f"{name}{ending}")
        assert "\n" not in str(refused.value)
    with pytest.raises(InputError, match=rf"none\{ending}: no such model"):
        open_predictor(tmp_path / f"none{ending}")


def test_a_model_of_others_is_refused(folder: Path, tmp_path: Path) -> None:
    model = onnx.load(folder / "network.onnx")
    del model.metadata_props[:]
    onnx.save(model, tmp_path / "plain.onnx")
    with pytest.raises(InputError, match=r"plain\.onnx: not a model of this repository: it has no card"):
        open_predictor(tmp_path / "plain.onnx")
    onnx.helper.set_model_props(model, {METADATA_KEY: "{}"})
    onnx.save(model, tmp_path / "damaged.onnx")
    with pytest.raises(InputError, match=r"damaged\.onnx: its card is damaged"):
        open_predictor(tmp_path / "damaged.onnx")
    del model.graph.output[0]
    onnx.save(model, tmp_path / "other.onnx")
    with pytest.raises(InputError, match=r"other\.onnx: not a model .*: it takes image .*and returns valence"):
        open_predictor(tmp_path / "other.onnx")
