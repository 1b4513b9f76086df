"""Fine-tuning: examples and their weights, the losses and metrics, and the loop."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import pandas as pd
from keras import KerasTensor, ops

from affect.core.labels import EXPRESSIONS, VALENCE_AROUSAL, VOTES
from affect.core.rng import hash_seed
from affect.models.kernels import adam
from affect.plumbing.errors import InputError
from affect.training.batches import Array, Batches, Examples
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


class ConcordanceCorrelation(keras.metrics.Metric):
    """Lin's concordance correlation over all examples seen, from their weighted sums; 0 while it is undefined.

    keras.metrics.ConcordanceCorrelation averages over batches, which is another number.
    """

    def __init__(self, name: str = "ccc") -> None:
        super().__init__(name=name)
        self.sums = self.add_variable((6,), initializer="zeros", name="sums")

    def update_state(self, y_true: object, y_pred: object, sample_weight: object = None) -> None:
        """Add a batch."""
        truth, prediction = (ops.cast(ops.reshape(values, (-1,)), self.dtype) for values in (y_true, y_pred))
        weight = ops.ones_like(truth) if sample_weight is None else ops.reshape(sample_weight, (-1,))
        terms = [ops.ones_like(truth), truth, prediction, truth**2, prediction**2, truth * prediction]
        self.sums.assign_add(ops.stack([ops.sum(weight * term) for term in terms]))

    def result(self) -> object:
        """Return the value so far."""
        count, *sums = ops.unstack(self.sums)
        truth, prediction, truth_2, prediction_2, product = (ops.divide_no_nan(total, count) for total in sums)
        covariance = product - truth * prediction
        variances = truth_2 - truth**2 + prediction_2 - prediction**2
        return ops.divide_no_nan(2 * covariance, variances + (truth - prediction) ** 2)


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


def annotated_tasks(index: pd.DataFrame) -> tuple[str, ...]:
    """Return the tasks that the labels of an index of records allow to learn."""
    return ("emotion", *(task for task in VALENCE_AROUSAL if index[task].notna().any()))


def has_votes(index: pd.DataFrame) -> bool:
    """Whether an index of records has the shares of votes for each expression, which are then learnt."""
    return set(VOTES) <= set(index.columns)


def make_examples(
    inputs: Array, index: pd.DataFrame, tasks: Sequence[str], class_weights: np.ndarray | None = None
) -> Examples:
    """Pair inputs with the labels of their index; that of emotion is (8,) shares of votes where it has them, else int.

    class_weights: (8,), the weight of each expression, 1 on average over the images. An image with votes weighs as its
    commonest one does. Annotated valence and arousal weigh 1 / (annotated share), so that weights average 1 over all
    images.
    """
    expressions = index["expression"].to_numpy()
    weights_of_classes = np.ones(len(EXPRESSIONS)) if class_weights is None else class_weights
    targets = {"emotion": index[VOTES].to_numpy(np.float32) if has_votes(index) else expressions}
    weights = {"emotion": weights_of_classes[expressions].astype(np.float32)}
    for task in tasks[1:]:
        values = index[task].to_numpy(np.float32)[:, None]
        targets[task] = np.nan_to_num(values)
        annotated = np.isfinite(values[:, 0]).astype(np.float32)
        # Each annotated image then counts the same in any batch, and the mean over all is that over the annotated.
        weights[task] = annotated / max(annotated.mean(), np.finfo(np.float32).tiny)
    return Examples(inputs, targets, weights)


def balanced_class_weights(expressions: pd.Series) -> np.ndarray:
    """Return (8,) weights that make each expression present count the same and average to 1 over the images."""
    counts = np.bincount(expressions, minlength=len(EXPRESSIONS))
    present = counts > 0
    return np.divide(len(expressions) / present.sum(), counts, out=np.zeros(len(counts)), where=present)


def compile_model(
    model: keras.Model,
    tasks: Sequence[str],
    learning_rate: float,
    loss_weights: Mapping[str, float],
    votes: bool = False,
) -> None:
    """Set Adam, cross-entropy for the expression, squared error for valence and arousal, and what the curves show.

    votes: whether the examples have shares of votes in place of the expression; accuracy is then of the commonest.

    A loss, that of all tasks (`loss`) or of one (`{task}_loss`), is the mean over the images that have the label.
    """
    metrics, losses = keras.metrics, keras.losses
    cross_entropy = losses.CategoricalCrossentropy() if votes else losses.SparseCategoricalCrossentropy()
    # Keras puts the task before a metric's name only where there are several tasks.
    accuracy = "accuracy" if len(tasks) > 1 else "emotion_accuracy"
    model.compile(
        optimizer=adam(learning_rate),
        metrics={
            "emotion": [metrics.CategoricalAccuracy(accuracy) if votes else metrics.SparseCategoricalAccuracy(accuracy)]
        },
        weighted_metrics={task: [metrics.RootMeanSquaredError("rmse"), ConcordanceCorrelation()] for task in tasks[1:]},
    )
    model.task_losses = {task: metrics.Mean(f"{task}_loss") for task in tasks}
    model.compute_loss = _sum_losses(model, cross_entropy, {task: loss_weights[task] for task in tasks})


def _sum_losses(
    model: keras.Model, cross_entropy: keras.losses.Loss, loss_weights: Mapping[str, float]
) -> Callable[..., object]:
    """Return the model's loss as Keras calls it: the weighted sum of the tasks', which `task_losses` average.

    Keras's own averages of each task's loss give a small last batch the weight of a whole one.
    """
    losses = {task: cross_entropy if task == "emotion" else keras.losses.MeanSquaredError() for task in loss_weights}

    def compute_loss(
        x: object,  # noqa: ARG001, Keras passes it
        y: Mapping[str, KerasTensor],
        y_pred: Mapping[str, KerasTensor],
        sample_weight: Mapping[str, KerasTensor],
        training: bool = True,  # noqa: ARG001, Keras passes it
    ) -> object:
        total = sum(model.losses)
        for task, loss_weight in loss_weights.items():
            loss = losses[task](y[task], y_pred[task], sample_weight[task])
            model.task_losses[task].update_state(loss, sample_weight=ops.shape(y[task])[0])
            total += loss_weight * loss
        return total

    return compute_loss


def fit(
    model: keras.Model,
    train: Batches,
    val: Batches,
    epochs: range,
    callbacks: Sequence[keras.callbacks.Callback],
) -> None:
    """Train a compiled model in these epochs. Raises InputError as soon as the loss is not a number."""
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
            callbacks=[keras.callbacks.TerminateOnNaN(raise_error=True), *callbacks, Progress()],
        )
    except RuntimeError as error:
        if "NaN or Inf loss" not in str(error):
            raise
        raise InputError("the loss is no longer a number; lower train.learning_rate") from None
