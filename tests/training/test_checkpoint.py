"""A training killed after any epoch goes on to the same bytes; another one's checkpoint is left alone."""

import json
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest

from affect.models import backend
from affect.plumbing.errors import InputError
from affect.training.checkpoint import Checkpoint, fingerprint
from affect.training.fit import SeedEachEpoch, fit
from affect.training.input.augmentation import Alteration, Augmentation
from affect.training.input.batches import Batches, Treatment
from affect.training.input.examples import Examples, make_examples
from affect.training.input.mixing import Mixing
from affect.training.recipe.objective import Objective, compile_model
from affect.training.recipe.optimizer import LogLearningRate, make_optimizer, warm_up_and_cosine

EPOCHS = 8
# Early stopping ends it.
ENDS_AFTER = 5
KEY = "the training of these tests"


class KilledError(Exception):
    pass


class Kill(keras.callbacks.Callback):
    def __init__(self, epochs: int) -> None:
        super().__init__()
        self.epochs = epochs

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        if epoch + 1 == self.epochs:
            raise KilledError


def train(file: Path, killed_after: int = 0, key: str = KEY) -> tuple[Checkpoint, list[np.ndarray], list[int]]:
    """Train on noise, so that the learning rate falls and early stopping ends it; return the epochs that ran too."""
    backend.set_up(1)
    draws = np.random.default_rng(1)
    examples, val_batches = (
        Examples(
            draws.normal(size=(60, 5)).astype(np.float32),
            {"y": draws.integers(0, 3, 60)},
            {"y": np.ones(60, np.float32)},
        )
        for _ in range(2)
    )
    inputs = keras.Input((5,))
    hidden = keras.layers.Dropout(0.3, name="dropout")(keras.layers.Dense(20, "relu")(inputs))
    training_model = keras.Model(inputs, {"y": keras.layers.Dense(3, "softmax", name="y")(hidden)})
    training_model.compile(keras.optimizers.Adam(0.02), {"y": "sparse_categorical_crossentropy"})
    early_stopping = keras.callbacks.EarlyStopping(patience=4, restore_best_weights=True)
    plateau = keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=2)
    checkpoint = Checkpoint(file, early_stopping, [plateau])
    checkpoint.restore(training_model, key)
    ran: list[int] = []
    note = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: ran.append(epoch))
    callbacks = [SeedEachEpoch(1), plateau, early_stopping, checkpoint, note, Kill(killed_after)]
    fit(
        training_model,
        Batches(examples, 8, Treatment(1)),
        Batches(val_batches, 8),
        checkpoint.remaining(EPOCHS),
        callbacks,
    )
    return checkpoint, training_model.get_weights(), ran


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Checkpoint, list[np.ndarray], list[int]]:
    return train(tmp_path_factory.mktemp("uninterrupted") / "checkpoint.npz")


def test_the_training_of_these_tests_uses_every_counter(
    uninterrupted: tuple[Checkpoint, list[np.ndarray], list[int]],
) -> None:
    checkpoint, _, ran = uninterrupted
    assert len(ran) == ENDS_AFTER
    assert checkpoint.early_stopping.best_epoch < ran[-1]
    assert checkpoint.epochs[-1]["learning_rate"] < checkpoint.epochs[0]["learning_rate"]


@pytest.mark.parametrize("killed_after", range(1, ENDS_AFTER + 1))
def test_it_goes_on_to_the_same_bytes(
    uninterrupted: tuple[Checkpoint, list[np.ndarray], list[int]], tmp_path: Path, killed_after: int
) -> None:
    expected, weights, all_epochs = uninterrupted
    file = tmp_path / "checkpoint.npz"
    with pytest.raises(KilledError):
        train(file, killed_after)
    checkpoint, resumed, ran = train(file)
    assert ran == all_epochs[killed_after:]
    assert checkpoint.epochs == expected.epochs
    assert checkpoint.early_stopping.best_epoch == expected.early_stopping.best_epoch
    for array, other in zip(resumed, weights, strict=True):
        np.testing.assert_array_equal(array, other)


def train_with_every_piece(file: Path, killed_after: int = 0) -> list[np.ndarray]:
    """Train on images that are altered, mixed and sampled anew in each epoch; return the averaged weights."""
    backend.set_up(1)
    draws = np.random.default_rng(1)
    index = pd.DataFrame({"expression": draws.integers(0, 3, 40) ** 2, "valence": draws.uniform(-1, 1, 40)})
    examples = make_examples(
        draws.integers(0, 256, (40, 8, 8, 3), np.uint8), index, ("emotion", "valence"), shares=True
    )
    ids = [f"face {row}" for row in range(40)]
    alteration = Alteration(Augmentation(15, 0.1, 0.1, 0.5, 0.1, 0.1, 0.2, 0.5), ids, np.zeros(40, int), 3)
    treatment = Treatment(1, "sqrt", index["expression"].to_numpy(), alteration, Mixing(0.4, 1.0))
    inputs = keras.Input((8, 8, 3))
    maps = keras.layers.BatchNormalization()(keras.layers.Conv2D(4, 3)(keras.layers.Rescaling(1 / 255)(inputs)))
    hidden = keras.layers.Dropout(0.3, name="dropout")(keras.layers.Flatten()(maps))
    outputs = {
        "emotion": keras.layers.Dense(8, "softmax", name="emotion")(hidden),
        "valence": keras.layers.Dense(1, "tanh", name="valence")(hidden),
    }
    training_model = keras.Model(inputs, outputs)
    batches = Batches(examples, 8, treatment)
    rate = warm_up_and_cosine(0.02, 6 * len(batches), 0.2)
    objective = Objective({"emotion": 1.0, "valence": 1.0}, "both", shares=True, label_smoothing=0.1)
    compile_model(training_model, make_optimizer(rate, weight_decay=0.05, averaging=0.9), objective)
    early_stopping = keras.callbacks.EarlyStopping(patience=10, restore_best_weights=True)
    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    checkpoint = Checkpoint(file, early_stopping, [swap, LogLearningRate()])
    checkpoint.restore(training_model, KEY)
    callbacks = [SeedEachEpoch(1), swap, LogLearningRate(), early_stopping, checkpoint, Kill(killed_after)]
    fit(training_model, batches, Batches(examples, 8), checkpoint.remaining(6), callbacks)
    return training_model.get_weights()


@pytest.fixture(scope="module")
def uninterrupted_with_every_piece(tmp_path_factory: pytest.TempPathFactory) -> list[np.ndarray]:
    return train_with_every_piece(tmp_path_factory.mktemp("every-piece") / "checkpoint.npz")


@pytest.mark.parametrize("killed_after", [1, 4, 6])
def test_with_every_piece_of_the_recipe_it_goes_on_to_the_same_bytes(
    uninterrupted_with_every_piece: list[np.ndarray], tmp_path: Path, killed_after: int
) -> None:
    file = tmp_path / "checkpoint.npz"
    with pytest.raises(KilledError):
        train_with_every_piece(file, killed_after)
    for array, other in zip(train_with_every_piece(file), uninterrupted_with_every_piece, strict=True):
        np.testing.assert_array_equal(array, other)


def test_a_training_of_anything_else_starts_afresh(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.npz"
    with pytest.raises(KilledError):
        train(file, 2)
    _, _, ran = train(file, key="another one")
    assert ran[0] == 0


def test_a_training_that_has_ended_is_found_at_its_end(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.npz"
    train(file)
    assert train(file)[2] == []


def test_time_adds_up_over_the_processes(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.npz"
    with pytest.raises(KilledError):
        train(file, 1)
    with np.load(file) as saved:
        arrays = dict(saved)
    state = json.loads(str(arrays["state"]))
    assert 0 < state["seconds"] < 1000
    np.savez(file, **arrays | {"state": np.array(json.dumps(state | {"seconds": 1000.0}))})
    assert train(file)[0].seconds > 1000


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    file = tmp_path / "checkpoint.npz"
    file.write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(InputError, match=r"checkpoint\.npz: damaged .*remove it to train afresh"):
        train(file)


def test_a_fingerprint_is_of_all_that_it_is_given(tmp_path: Path) -> None:
    file, array = tmp_path / "data", np.arange(6.0)
    file.write_text("data")
    before = fingerprint([file], [array], "lr", 1)
    assert fingerprint([file], [array], "lr", 1) == before
    assert fingerprint([file], [array], "lr", 2) != before
    assert fingerprint([file], [array[::-1]], "lr", 1) != before
    file.write_text("date")
    assert fingerprint([file], [array], "lr", 1) != before
