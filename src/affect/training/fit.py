"""Fine-tuning from the stored output of the frozen half, or of the whole network."""

import math
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import keras
import numpy as np
import pandas as pd
from keras import KerasTensor, ops
from tqdm import tqdm

from affect.core.array_file import Rows
from affect.core.labels import EXPRESSIONS
from affect.core.rng import digest
from affect.models.kernels import adam, constant_inference
from affect.plumbing.errors import InputError
from affect.training.batches import Array, Batches, Examples


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
                layer.seed_generator.state.assign([digest(self.seed, layer.name, epoch) % 2**32, 0])


def annotated_tasks(index: pd.DataFrame) -> tuple[str, ...]:
    """Return the tasks that the labels of an index of records allow to learn."""
    return ("emotion", *(task for task in ("valence", "arousal") if index[task].notna().any()))


def make_examples(
    inputs: Array, index: pd.DataFrame, tasks: Sequence[str], class_weights: np.ndarray | None = None
) -> Examples:
    """Pair inputs with the labels of their index.

    class_weights: (8,), the weight of each expression, 1 on average over the images. An annotated valence or arousal
    weighs as much as makes the annotated ones count 1 on average over all images.
    """
    expressions = index["expression"].to_numpy()
    weights_of_classes = np.ones(len(EXPRESSIONS)) if class_weights is None else class_weights
    targets = {"emotion": expressions}
    weights = {"emotion": weights_of_classes[expressions].astype(np.float32)}
    for task in tasks[1:]:
        values = index[task].to_numpy(np.float32)[:, None]
        targets[task] = np.nan_to_num(values)
        annotated = np.isfinite(values[:, 0]).astype(np.float32)
        # So each annotated image counts the same, in whatever batch, and the mean over all is that over the annotated.
        weights[task] = annotated / max(annotated.mean(), np.finfo(np.float32).tiny)
    return Examples(inputs, targets, weights)


def balanced_class_weights(expressions: pd.Series) -> np.ndarray:
    """Return (8,) weights that make each expression present count the same and average to 1 over the images."""
    counts = np.bincount(expressions, minlength=len(EXPRESSIONS))
    present = counts > 0
    return np.divide(len(expressions) / present.sum(), counts, out=np.zeros(len(counts)), where=present)


def why_not_stored(frozen: keras.Model, count: int, dtype: np.dtype, limit: float, folder: Path) -> str | None:
    """Return why the features of so many images are not to be stored in a folder, if so: they take more than the
    limit, in GB, or than the disk has free."""
    folder.mkdir(parents=True, exist_ok=True)
    size = count * math.prod(frozen.output.shape[1:]) * dtype.itemsize / 1e9
    if size > limit:
        return f"it takes {size:.1f} GB, and train.cache_limit is {limit:g}"
    free = shutil.disk_usage(folder).free / 1e9
    return f"it takes {size:.1f} GB, and the disk of {folder} has {free:.1f} free" if size > free else None


def compute_features(frozen: keras.Model, images: Array, batch_size: int, dtype: np.dtype, scratch: Path) -> Rows:
    """Pass the images once through the frozen half.

    Its output lies on the disk of the `scratch` folder in a file without a name, gone with the array or the process.
    """
    compute = constant_inference(frozen)
    file = tempfile.TemporaryFile(dir=scratch, buffering=0)  # noqa: SIM115, it lives as long as the array
    features = Rows(file, (len(images), *frozen.output.shape[1:]), dtype)
    for start in tqdm(range(0, len(images), batch_size), desc="frozen layers", disable=None):
        features.write(start, compute(images[start : start + batch_size]))
    return features


def compile_network(
    trained: keras.Model, tasks: Sequence[str], learning_rate: float, loss_weights: Mapping[str, float]
) -> None:
    """Set Adam, cross-entropy for the expression, squared error for valence and arousal, and what the curves show.

    A loss, that of all tasks (`loss`) or of one (`{task}_loss`), is the mean over the images that have the label.
    """
    affect = tasks[1:]
    # Keras puts the task before a metric's name only where there are several tasks.
    accuracy = "accuracy" if affect else "emotion_accuracy"
    trained.compile(
        optimizer=adam(learning_rate),
        metrics={"emotion": [keras.metrics.SparseCategoricalAccuracy(accuracy)]},
        weighted_metrics={
            task: [keras.metrics.RootMeanSquaredError("rmse"), ConcordanceCorrelation()] for task in affect
        },
    )
    trained.task_losses = {task: keras.metrics.Mean(f"{task}_loss") for task in tasks}
    trained.compute_loss = _sum_losses(trained, {task: loss_weights[task] for task in tasks})


def _sum_losses(trained: keras.Model, loss_weights: Mapping[str, float]) -> Callable[..., object]:
    """Return the model's loss as Keras calls it: the weighted sum of the tasks', which `task_losses` average.

    Keras's own averages of each task's loss give a small last batch the weight of a whole one.
    """
    losses = {
        task: keras.losses.SparseCategoricalCrossentropy() if task == "emotion" else keras.losses.MeanSquaredError()
        for task in loss_weights
    }

    def compute_loss(
        x: object,  # noqa: ARG001, Keras passes it
        y: Mapping[str, KerasTensor],
        y_pred: Mapping[str, KerasTensor],
        sample_weight: Mapping[str, KerasTensor],
        training: bool = True,  # noqa: ARG001, Keras passes it
    ) -> object:
        total = sum(trained.losses)
        for task, loss_weight in loss_weights.items():
            loss = losses[task](y[task], y_pred[task], sample_weight[task])
            trained.task_losses[task].update_state(loss, sample_weight=ops.shape(y[task])[0])
            total += loss_weight * loss
        return total

    return compute_loss


def fit(
    trained: keras.Model,
    train: Batches,
    val: Batches,
    epochs: range,
    callbacks: Sequence[keras.callbacks.Callback],
    verbose: int | str,
) -> None:
    """Train a compiled network in these epochs. Raises InputError as soon as the loss is not a number."""
    try:
        trained.fit(
            train.stream(epochs),
            steps_per_epoch=len(train),
            validation_data=val.stream(),
            initial_epoch=epochs.start,
            epochs=epochs.stop,
            shuffle=False,
            verbose=verbose,
            callbacks=[keras.callbacks.TerminateOnNaN(raise_error=True), *callbacks],
        )
    except RuntimeError as error:
        if "NaN or Inf loss" not in str(error):
            raise
        raise InputError("the loss is no longer a number; lower train.learning_rate") from None
