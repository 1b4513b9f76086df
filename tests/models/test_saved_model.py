"""A saved model says what its outputs are, and older versions of Keras understand it (tests/keras_versions.py)."""

import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import keras
import pytest
from keras import layers

from affect.core.labels import EXPRESSIONS
from affect.core.records import Card
from affect.models.card import make_card, require_trained_on
from affect.models.multitask import Heads, build_model
from affect.models.saved_model import load_model, read_card, save_model
from affect.plumbing.errors import InputError

PREPARED = Card(dataset="data/faces", layout="folders", align="none", images=10, hash="11aa", made_of=None)
AUGMENTED = Card(dataset="data/faces", layout="folders", align="none", images=16, hash="22bb", made_of="11aa")

# Without a value they say nothing; Keras 3.8 refuses all of them.
NEWER_KEYS = {
    *("input_axes", "output_axes", "quantization_config"),
    *("renorm", "renorm_clipping", "renorm_momentum"),
    *("use_gate", "sliding_window"),
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


@pytest.mark.parametrize("backbone", ["resnet50", "efficientnetb1", "vit", "mobilenetv3large"])
def test_a_saved_model_holds_nothing_that_an_older_keras_refuses(tmp_path: Path, backbone: str) -> None:
    save_model(build_model(backbone, 32, None, 10, Heads(8, 8, 8)).full, tmp_path / "m.keras")
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


def test_a_saved_model_knows_what_it_was_trained_on_and_is_the_same_bytes_again(tmp_path: Path) -> None:
    model, card = small_model(len(EXPRESSIONS)), make_card(PREPARED, AUGMENTED, images=8, image_size=8)
    for name in ("m.keras", "again.keras"):
        save_model(model, tmp_path / name, card)
    assert (tmp_path / "m.keras").read_bytes() == (tmp_path / "again.keras").read_bytes()
    said = read(tmp_path / "m.keras", "metadata.json")
    assert said["trained_on"] == {
        "dataset": "data/faces",
        "layout": "folders",
        "images": 8,
        "prepared": "11aa",
        "augmented": "22bb",
    }
    assert said["image_size"] == 8
    assert "letterboxed to 8 x 8 pixels, RGB 0-255" in said["preprocessing"]
    assert read_card(tmp_path / "m.keras") == card
    load_model(tmp_path / "m.keras")


def test_faces_aligned_by_their_eyes_are_not_called_letterboxed() -> None:
    aligned = PREPARED.model_copy(update={"align": "eyes"})
    card = make_card(aligned, AUGMENTED, images=8, image_size=96)
    assert card.preprocessing.startswith("aligned by the eyes to 96 x 96 pixels, RGB 0-255")


def test_a_model_older_than_cards_has_none_and_is_trained_again(tmp_path: Path) -> None:
    save_model(small_model(len(EXPRESSIONS)), tmp_path / "m.keras")
    card = read_card(tmp_path / "m.keras")
    assert card is None
    with pytest.raises(InputError, match="does not say what it was trained on; train it again with `dvc repro`"):
        require_trained_on(tmp_path / "m.keras", card, PREPARED, AUGMENTED)


@pytest.mark.parametrize("other", ["prepared", "augmented"])
def test_a_model_of_other_records_is_refused_with_both_named(other: str) -> None:
    card = make_card(PREPARED, AUGMENTED, images=8, image_size=8)
    assert require_trained_on(Path("m.keras"), card, PREPARED, AUGMENTED) == card
    there = {"prepared": PREPARED, "augmented": AUGMENTED}
    there[other] = there[other].model_copy(update={"hash": "33cc", "dataset": "data/mine"})
    with pytest.raises(InputError) as refusal:
        require_trained_on(Path("m.keras"), card, **there)
    for named in ("m.keras was trained on 8 images of data/faces", "11aa", "33cc", "dvc repro", "pipelines/external"):
        assert named in str(refusal.value)


def test_copies_of_other_records_are_not_trained_on() -> None:
    with pytest.raises(InputError, match="data/augmented was not made of what data/prepared holds"):
        make_card(PREPARED.model_copy(update={"hash": "33cc"}), AUGMENTED, images=8, image_size=8)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"trained_on": {"dataset": "data/faces"}}, "its card is damaged"),
        ({"image_size": "8"}, "its card is damaged"),
        ({"expressions": [*EXPRESSIONS[1:], "neutral"]}, "predicts happy, sad, .*, and not neutral, happy"),
    ],
)
def test_a_damaged_or_foreign_card_is_refused(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    card = make_card(PREPARED, AUGMENTED, images=8, image_size=8)
    with ZipFile(tmp_path / "m.keras", "w") as archive:
        archive.writestr("metadata.json", json.dumps(card.model_dump() | change))
    with pytest.raises(InputError, match=rf"m\.keras: {message}"):
        read_card(tmp_path / "m.keras")
