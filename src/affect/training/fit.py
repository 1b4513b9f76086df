"""The loop of a training: its epochs, its callbacks, and what it leaves."""

from collections.abc import Sequence
from dataclasses import dataclass

import keras

from affect.core.rng import hash_seed
from affect.plumbing.errors import InputError
from affect.training.input.batches import Batches
from affect.training.progress import Progress


@dataclass(frozen=True)
class TrainingResult:
    """What a finished training leaves beside its weights.

    epochs: how many were run. best_epoch: counted from 1, the one whose weights were kept. seconds: those of killed
    runs included.
    """

    epochs: int
    best_epoch: int
    seconds: float


class SeedEachEpoch(keras.callbacks.Callback):
    """Fix what layers draw at random by the seed and the epoch, so that a run can begin at any epoch."""

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.seed = seed

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002, Keras passes it
        """Seed every dropout and stochastic-depth layer."""
        for layer in self.model.layers:
            if isinstance(layer, keras.layers.Dropout) and layer.rate > 0:
                layer.seed_generator.state.assign([hash_seed(self.seed, layer.name, epoch) % 2**32, 0])


def fit(
    model: keras.Model,
    train: Batches,
    val: Batches,
    epochs: range,
    callbacks: Sequence[keras.callbacks.Callback],
    says: bool = True,
) -> None:
    """Train a compiled model in these epochs. Raises InputError as soon as the loss is not a number.

    says: whether this process prints the epochs' lines.
    """
    if not epochs:
        # Keras can't fit without data. What a training that had ended kept is restored all the same.
        ended = keras.callbacks.CallbackList(list(callbacks), model=model)
        ended.on_train_begin()
        ended.on_train_end()
        return
    try:
        model.fit(
            train.dataset(epochs),
            steps_per_epoch=len(train),
            validation_data=val.dataset(),
            initial_epoch=epochs.start,
            epochs=epochs.stop,
            shuffle=False,
            verbose=0,
            # The last, for who reads an epoch's line finds it in the curves and the checkpoint.
            callbacks=[keras.callbacks.TerminateOnNaN(raise_error=True), *callbacks, *([Progress()] if says else [])],
        )
    except RuntimeError as error:
        if "NaN or Inf loss" not in str(error):
            raise
        raise InputError("the loss is no longer a number; lower train.learning_rate") from None
