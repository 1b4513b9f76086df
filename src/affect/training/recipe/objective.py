"""What a training minimises and what its curves show."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import keras
from keras import KerasTensor, ops

VA_LOSSES = ("mse", "ccc", "both")


@dataclass(frozen=True)
class Objective:
    """What is minimised: the weighted sum of the tasks' losses.

    loss_weights: that of each task that is learnt, emotion first. va_loss: of valence and arousal: mse, the squared
    error; ccc, 1 - CCC of a batch; or both, their sum. shares: whether the targets of emotion are shares of the
    expressions rather than one's number. label_smoothing: how much of each target is spread over all expressions,
    which takes shares.
    """

    loss_weights: Mapping[str, float]
    va_loss: str = "mse"
    shares: bool = False
    label_smoothing: float = 0.0

    def losses(self) -> dict[str, Callable[..., KerasTensor]]:
        """Return the loss of each task, of (truth, prediction, weights)."""
        of_emotion = (
            keras.losses.CategoricalCrossentropy(label_smoothing=self.label_smoothing)
            if self.shares
            else keras.losses.SparseCategoricalCrossentropy()
        )
        of_affect = {"mse": keras.losses.MeanSquaredError(), "ccc": ccc_loss, "both": squared_and_ccc_loss}
        return {task: of_emotion if task == "emotion" else of_affect[self.va_loss] for task in self.loss_weights}


class ConcordanceCorrelation(keras.metrics.Metric):
    """Lin's concordance correlation over all examples seen, from their weighted sums; 0 while it is undefined.

    keras.metrics.ConcordanceCorrelation averages over batches, which is another number.
    """

    def __init__(self, name: str = "ccc") -> None:
        super().__init__(name=name)
        self.sums = self.add_variable((6,), initializer="zeros", name="sums")

    def update_state(self, y_true: object, y_pred: object, sample_weight: object = None) -> None:
        """Add a batch."""
        self.sums.assign_add(_weighted_sums(y_true, y_pred, sample_weight, self.dtype))

    def result(self) -> object:
        """Return the value so far."""
        return _ccc(self.sums)


def ccc_loss(y_true: KerasTensor, y_pred: KerasTensor, sample_weight: KerasTensor | None = None) -> KerasTensor:
    """Return 1 - CCC of a batch of (count, 1); 1 where the CCC is undefined, as of a single image."""
    truth, prediction, weight = _flatten(y_true, y_pred, sample_weight, "float32")
    count = ops.sum(weight)
    # Centred first: a difference of large sums would have a gradient of noise where values hardly vary.
    mean, predicted_mean = (ops.divide_no_nan(ops.sum(weight * values), count) for values in (truth, prediction))
    deviation, predicted_deviation = truth - mean, prediction - predicted_mean
    covariance = ops.sum(weight * deviation * predicted_deviation)
    variances = ops.sum(weight * (deviation**2 + predicted_deviation**2))
    return 1 - ops.divide_no_nan(2 * covariance, variances + count * (mean - predicted_mean) ** 2)


def squared_and_ccc_loss(
    y_true: KerasTensor, y_pred: KerasTensor, sample_weight: KerasTensor | None = None
) -> KerasTensor:
    """Return the mean squared error and 1 - CCC of a batch of (count, 1), added up."""
    return keras.losses.MeanSquaredError()(y_true, y_pred, sample_weight) + ccc_loss(y_true, y_pred, sample_weight)


def _weighted_sums(y_true: object, y_pred: object, sample_weight: object, dtype: str) -> KerasTensor:
    """Return the sums, over examples, from which Lin's concordance correlation follows."""
    truth, prediction, weight = _flatten(y_true, y_pred, sample_weight, dtype)
    terms = [ops.ones_like(truth), truth, prediction, truth**2, prediction**2, truth * prediction]
    return ops.stack([ops.sum(weight * term) for term in terms])


def _flatten(y_true: object, y_pred: object, sample_weight: object, dtype: str) -> tuple[KerasTensor, ...]:
    truth, prediction = (ops.cast(ops.reshape(values, (-1,)), dtype) for values in (y_true, y_pred))
    weight = ops.ones_like(truth) if sample_weight is None else ops.cast(ops.reshape(sample_weight, (-1,)), dtype)
    return truth, prediction, weight


def _ccc(sums: KerasTensor) -> KerasTensor:
    count, truth, prediction, truth_2, prediction_2, product = (sums[place] for place in range(6))
    truth, prediction, truth_2, prediction_2, product = (
        ops.divide_no_nan(total, count) for total in (truth, prediction, truth_2, prediction_2, product)
    )
    covariance = product - truth * prediction
    variances = truth_2 - truth**2 + prediction_2 - prediction**2
    return ops.divide_no_nan(2 * covariance, variances + (truth - prediction) ** 2)


def compile_model(model: keras.Model, optimizer: keras.optimizers.Optimizer, objective: Objective) -> None:
    """Set the optimiser, the losses, and what the curves show.

    The accuracy of shares is that of the commonest expression.

    A loss, that of all tasks (`loss`) or of one (`{task}_loss`), is the mean over the images that have the label; a
    CCC is that of a batch, and its mean over the batches counts the images.
    """
    metrics, tasks = keras.metrics, tuple(objective.loss_weights)
    # Keras puts the task before a metric's name only where there are several tasks.
    name = "accuracy" if len(tasks) > 1 else "emotion_accuracy"
    accuracy = metrics.CategoricalAccuracy(name) if objective.shares else metrics.SparseCategoricalAccuracy(name)
    model.compile(
        optimizer=optimizer,
        metrics={"emotion": [accuracy]},
        weighted_metrics={task: [metrics.RootMeanSquaredError("rmse"), ConcordanceCorrelation()] for task in tasks[1:]},
    )
    model.task_losses = {task: metrics.Mean(f"{task}_loss") for task in tasks}
    model.compute_loss = _sum_losses(model, objective)


def _sum_losses(model: keras.Model, objective: Objective) -> Callable[..., object]:
    """Return the model's loss as Keras calls it: the weighted sum of the tasks', which `task_losses` average.

    Keras's own averages of each task's loss give a small last batch the weight of a whole one.
    """
    losses = objective.losses()

    def compute_loss(
        x: object,  # noqa: ARG001, Keras passes it
        y: Mapping[str, KerasTensor],
        y_pred: Mapping[str, KerasTensor],
        sample_weight: Mapping[str, KerasTensor],
        training: bool = True,  # noqa: ARG001, Keras passes it
    ) -> object:
        total = sum(model.losses)
        for task, loss_weight in objective.loss_weights.items():
            loss = losses[task](y[task], y_pred[task], sample_weight[task])
            model.task_losses[task].update_state(loss, sample_weight=ops.shape(y[task])[0])
            total += loss_weight * loss
        return total

    return compute_loss
