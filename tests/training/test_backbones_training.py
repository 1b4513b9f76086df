"""For every backbone: a training is the same to the last bit again, and after a kill."""

from pathlib import Path

import keras
import numpy as np
import pytest

from affect.models import backend
from affect.models.backbones import BACKBONES
from affect.models.kernels import clone_with_fused_ops
from affect.models.multitask import Heads, build_model
from affect.training.checkpoint import Checkpoint
from affect.training.fit import SeedEachEpoch, fit
from affect.training.input.batches import Batches, Treatment
from affect.training.input.examples import Examples

SIZE = 64
EPOCHS = 2
IMAGES = np.random.default_rng(0).integers(0, 256, (12, 4, 4, 3), np.uint8).repeat(SIZE // 4, 1).repeat(SIZE // 4, 2)
EXPRESSIONS = np.random.default_rng(1).integers(0, 8, len(IMAGES))
# The cut then lies below the topmost block of each.
LAYERS = 8


class KilledError(Exception):
    pass


class Training:
    """A training that can begin again without being compiled again, which takes longer than the training."""

    def __init__(self, backbone: str, folder: Path) -> None:
        backend.set_up(1)
        network = build_model(backbone, SIZE, None, LAYERS, Heads(8, 8, 8, "attention"), ("emotion",))
        assert network.frozen is not None
        features = np.asarray(network.frozen(IMAGES.astype(np.float32), training=False))
        examples = Examples(features, {"emotion": EXPRESSIONS}, {"emotion": np.ones(len(IMAGES), np.float32)})
        self.train, self.val = Batches(examples, 4, Treatment(1)), Batches(examples, 4)
        self.file = folder / "checkpoint.npz"
        self.model = clone_with_fused_ops(network.trainable, "float32")
        self.model.compile(keras.optimizers.Adam(0.01), {"emotion": "sparse_categorical_crossentropy"})
        self.model.optimizer.build(self.model.trainable_variables)
        self.start = [keras.ops.convert_to_numpy(variable) for variable in self.variables()]

    def variables(self) -> list[keras.Variable]:
        return [*self.model.variables, *self.model.optimizer.variables]

    def run(self, killed_after: int | None = None) -> tuple[list[dict[str, float]], list[np.ndarray]]:
        """Train from the start, or from the checkpoint; return the epochs and the weights."""
        for variable, value in zip(self.variables(), self.start, strict=True):
            variable.assign(value)
        early_stopping = keras.callbacks.EarlyStopping(patience=9, restore_best_weights=True)
        plateau = keras.callbacks.ReduceLROnPlateau(patience=9)
        checkpoint = Checkpoint(self.file, early_stopping, [plateau])
        checkpoint.restore(self.model, "this training")

        def kill(epoch: int, logs: dict[str, float] | None) -> None:
            if epoch + 1 == killed_after:
                raise KilledError

        callbacks = [SeedEachEpoch(1), plateau, early_stopping, checkpoint]
        callbacks.append(keras.callbacks.LambdaCallback(on_epoch_end=kill))
        fit(self.model, self.train, self.val, checkpoint.remaining(EPOCHS), callbacks)
        self.file.unlink()
        return checkpoint.epochs, self.model.get_weights()


@pytest.mark.parametrize("backbone", BACKBONES)
def test_a_training_is_the_same_again_and_after_a_kill(backbone: str, tmp_path: Path) -> None:
    training = Training(backbone, tmp_path)
    epochs, weights = training.run()
    assert len(epochs) == EPOCHS
    assert epochs[1]["loss"] != epochs[0]["loss"]
    again = training.run()
    with pytest.raises(KilledError):
        training.run(killed_after=1)
    assert training.file.is_file()
    for other_epochs, other_weights in (again, training.run()):
        assert other_epochs == epochs
        for weight, other in zip(weights, other_weights, strict=True):
            np.testing.assert_array_equal(weight, other)
