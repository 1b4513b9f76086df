"""A saved model says what its outputs are, and older versions of Keras understand it (tests/keras_versions.py)."""

import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import keras
import pytest
from keras import layers

from affect.core.labels import EXPRESSIONS
from affect.models.multitask import HeadWidths, build_model
from affect.models.saved_model import load_model, save_model
from affect.plumbing.errors import InputError

# Without a value they say nothing; Keras 3.8 refuses all of them.
NEWER_KEYS = {
    *("input_axes", "output_axes", "quantization_config"),
    *("renorm", "renorm_clipping", "renorm_momentum"),
}


def configs(item: Any) -> list[dict]:
    """All objects of a config, with module, class_name and config."""
    children = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
    found = [config for child in children for config in configs(child)]
    is_object = isinstance(item, dict) and "module" in item and isinstance(item.get("config"), dict)
    return [*found, item] if is_object else found


def read(file: Path, part: str) -> dict:
    with ZipFile(file) as archive:
        return json.loads(archive.read(part))


def test_a_saved_model_names_its_expressions(tmp_path: Path) -> None:
    save_model(small_model(len(EXPRESSIONS)), tmp_path / "m.keras")
    assert read(tmp_path / "m.keras", "metadata.json")["expressions"] == list(EXPRESSIONS)


def small_model(classes: int) -> keras.Model:
    image = keras.Input((8, 8, 3))
    normal = layers.BatchNormalization()(layers.Conv2D(4, 3)(image))
    pooled = layers.GlobalAveragePooling2D()(normal)
    return keras.Model(image, {"emotion": layers.Dense(classes, "softmax", name="emotion")(pooled)})


@pytest.mark.parametrize("backbone", ["resnet50", "efficientnetb1"])
def test_a_saved_model_holds_nothing_that_an_older_keras_refuses(tmp_path: Path, backbone: str) -> None:
    save_model(build_model(backbone, 32, None, 10, HeadWidths(8, 8, 8)).full, tmp_path / "m.keras")
    found = configs(read(tmp_path / "m.keras", "config.json"))
    assert len(found) > 100
    for item in found:
        assert not NEWER_KEYS & item["config"].keys()
        assert not item["module"].startswith("keras.src.ops") or "name" not in item["config"]
    load_model(tmp_path / "m.keras")


def test_what_an_older_keras_would_compute_otherwise_stays_in_the_config(tmp_path: Path) -> None:
    model = small_model(len(EXPRESSIONS))
    (normal,) = (layer for layer in model.layers if isinstance(layer, layers.BatchNormalization))
    normal.renorm_momentum = 0.5
    save_model(model, tmp_path / "m.keras")
    found = configs(read(tmp_path / "m.keras", "config.json"))
    (config,) = (item["config"] for item in found if item["class_name"] == "BatchNormalization")
    assert config["renorm_momentum"] == 0.5
    assert "renorm" not in config


def test_a_model_of_other_classes_is_refused(tmp_path: Path) -> None:
    small_model(7).save(tmp_path / "m.keras")
    with pytest.raises(InputError, match=r"m\.keras: not a model of this repository: .*of 8 expressions"):
        load_model(tmp_path / "m.keras")
