"""A training can begin with a trained model, and its card says so."""

from pathlib import Path

import keras
import numpy as np
import pytest

from affect.core.records import Card
from affect.models.card import make_card
from affect.models.initial_model import describe_start, start_from
from affect.models.multitask import Heads, build_model
from affect.models.saved_model import read_card, save_model
from affect.plumbing.errors import InputError

SIZE = 32
HEADS = Heads(8, 8, 8)
PREPARED = Card(dataset="data/old", layout="folders", align="none", images=10, hash="11aa", made_of=None)
AUGMENTED = Card(dataset="data/old", layout="folders", align="none", images=16, hash="22bb", made_of="11aa")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of expression and valence."""
    keras.utils.set_random_seed(7)
    file = tmp_path_factory.mktemp("trained") / "start.keras"
    model = build_model("mobilenetv3large", SIZE, None, 10, HEADS, ("emotion", "valence")).full
    save_model(model, file, make_card(PREPARED, AUGMENTED, 10, SIZE))
    return file


def predict(model: keras.Model) -> dict[str, np.ndarray]:
    images = np.random.default_rng(1).integers(0, 256, (2, SIZE, SIZE, 3)).astype(np.float32)
    return model.predict_on_batch(images)


def test_it_begins_where_the_trained_model_ended(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = build_model("mobilenetv3large", SIZE, str(trained), None, HEADS, ("emotion", "valence")).full
    expected = predict(keras.models.load_model(trained))
    for task, values in predict(model).items():
        np.testing.assert_array_equal(values, expected[task])
    assert "lacks" not in capsys.readouterr().err


def test_what_it_learned_of_its_images_is_used(tmp_path: Path) -> None:
    """As EfficientNet with Keras's ImageNet weights does."""
    images = np.random.default_rng(2).normal(5, 3, (8, 4, 4, 3)).astype(np.float32)

    def build() -> keras.Model:
        inputs = keras.Input((4, 4, 3))
        standard = keras.layers.Normalization(name="standardise")(inputs)
        shares = keras.layers.Dense(8, name="emotion")(keras.layers.Flatten()(standard))
        return keras.Model(inputs, {"emotion": shares})

    started, learned = build(), build()
    learned.get_layer("standardise").adapt(images)
    learned.save(tmp_path / "learned.keras")
    start_from(started, tmp_path / "learned.keras", ["standardise"])
    expected = learned.predict_on_batch(images)["emotion"]
    np.testing.assert_array_equal(started.predict_on_batch(images)["emotion"], expected)


def test_a_task_that_it_did_not_learn_starts_at_random_and_is_named(
    trained: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = build_model("mobilenetv3large", SIZE, str(trained), None, HEADS).full
    np.testing.assert_array_equal(predict(model)["emotion"], predict(keras.models.load_model(trained))["emotion"])
    assert f"{trained} lacks arousal_hidden, arousal of these shapes, which start at random" in capsys.readouterr().err


def test_another_backbone_is_refused(trained: Path) -> None:
    with pytest.raises(InputError, match=r"model\.weights: .*start\.keras is no efficientnetb1 .*: it has no layer"):
        build_model("efficientnetb1", SIZE, str(trained), None, HEADS)


def test_the_card_says_what_a_training_began_with(trained: Path, tmp_path: Path) -> None:
    start = describe_start(str(trained))
    assert start is not None
    assert (start.file, start.dataset) == (str(trained), "data/old")
    new = PREPARED.model_copy(update={"dataset": "data/new"})
    model = build_model("mobilenetv3large", SIZE, None, 10, HEADS, ("emotion",)).full
    save_model(model, tmp_path / "m.keras", make_card(new, AUGMENTED, 10, SIZE, start))
    card = read_card(tmp_path / "m.keras")
    assert card is not None
    assert (card.started_from, card.trained_on.dataset) == (start, "data/new")
    for other in (None, "imagenet", "data/weights"):
        assert describe_start(other) is None


def test_a_start_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match=r"data/weights/vit/start\.keras: no such file"):
        describe_start("data/weights/vit/start.keras")
