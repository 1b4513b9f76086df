"""The field's twelve metrics: six of the expression, six of valence or arousal.

A metric that the data cannot define raises UndefinedMetricError instead of returning NaN.
"""

from collections.abc import Callable

import krippendorff
import numpy as np
from sklearn import metrics as sklearn_metrics

from affect.core.labels import EXPRESSIONS


class UndefinedMetricError(Exception):
    """The data cannot define the metric, for the reason given."""


def accuracy(truth: np.ndarray, prediction: np.ndarray) -> float:
    """Return the share of (count,) predicted expressions that are right, in [0, 1]."""
    return float(np.mean(truth == prediction))


def f1(truth: np.ndarray, prediction: np.ndarray) -> float:
    """Return the F1 score, in [0, 1]: the mean over the expressions that occur in `truth`, both (count,) int."""
    return float(sklearn_metrics.f1_score(truth, prediction, labels=np.unique(truth), average="macro", zero_division=0))


def cohen_kappa(truth: np.ndarray, prediction: np.ndarray) -> float:
    """Return Cohen's kappa, in [-1, 1], of two (count,) ratings.

    Source: Cohen, A coefficient of agreement for nominal scales (1960).
    """
    if len(np.union1d(truth, prediction)) < 2:
        raise UndefinedMetricError("truth and prediction are one and the same expression throughout")
    return float(sklearn_metrics.cohen_kappa_score(truth, prediction))


def krippendorff_alpha(truth: np.ndarray, prediction: np.ndarray) -> float:
    """Return nominal alpha, in [-1, 1]: truth and prediction, both (count,), are two raters of the same images.

    Source: Krippendorff, Content Analysis (2004), chapter 11.
    """
    if len(np.union1d(truth, prediction)) < 2:
        raise UndefinedMetricError("truth and prediction are one and the same expression throughout")
    return float(krippendorff.alpha(np.stack([truth, prediction]), level_of_measurement="nominal"))


def auc_roc(truth: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the area under the ROC curve, in [0, 1]: one expression against the rest, averaged.

    truth: (count,) int. probabilities: (count, 8). The mean is over the expressions that occur in `truth`.
    """
    return _mean_over_classes(sklearn_metrics.roc_auc_score, truth, probabilities)


def auc_pr(truth: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the average precision, in [0, 1]: one expression against the rest, averaged.

    truth: (count,) int. probabilities: (count, 8). The mean is over the expressions that occur in `truth`.
    """
    return _mean_over_classes(sklearn_metrics.average_precision_score, truth, probabilities)


def rmse(truth: np.ndarray, prediction: np.ndarray) -> float:
    """Return the root of the mean squared error of (count,) predictions; 0 is perfect."""
    return float(np.sqrt(np.mean((truth - prediction) ** 2)))


def mae(truth: np.ndarray, prediction: np.ndarray) -> float:
    """Return the mean absolute error of (count,) predictions; 0 is perfect."""
    return float(np.mean(np.abs(truth - prediction)))


def corr(truth: np.ndarray, prediction: np.ndarray) -> float:
    """Return Pearson's correlation, in [-1, 1], of two (count,) arrays."""
    if _is_constant(truth) or _is_constant(prediction):
        raise UndefinedMetricError("truth or prediction is constant")
    return float(np.corrcoef(truth, prediction)[0, 1])


def ccc(truth: np.ndarray, prediction: np.ndarray) -> float:
    """Return Lin's concordance correlation, in [-1, 1], of two (count,) arrays, with population moments.

    Source: Lin, A concordance correlation coefficient to evaluate reproducibility (1989).
    """
    if _is_constant(np.concatenate([truth, prediction])):
        raise UndefinedMetricError("truth and prediction are the same constant")
    scale = truth.var() + prediction.var() + (truth.mean() - prediction.mean()) ** 2
    return float(2 * np.mean((truth - truth.mean()) * (prediction - prediction.mean())) / scale)


def sagr(truth: np.ndarray, prediction: np.ndarray) -> float:
    """Return the share, in [0, 1], of (count,) predictions whose sign (-1, 0 or 1) is the truth's.

    Source: Nicolaou et al., Continuous prediction of spontaneous affect (2011).
    """
    return float(np.mean(np.sign(truth) == np.sign(prediction)))


def r2(truth: np.ndarray, prediction: np.ndarray) -> float:
    """Return the coefficient of determination, at most 1, of (count,) predictions."""
    if _is_constant(truth):
        raise UndefinedMetricError("truth is constant")
    return float(1 - np.sum((truth - prediction) ** 2) / np.sum((truth - truth.mean()) ** 2))


EXPRESSION_METRICS = {
    "accuracy": accuracy,
    "f1": f1,
    "cohen_kappa": cohen_kappa,
    "krippendorff_alpha": krippendorff_alpha,
}
PROBABILITY_METRICS = {"auc_roc": auc_roc, "auc_pr": auc_pr}
VA_METRICS = {"ccc": ccc, "rmse": rmse, "corr": corr, "sagr": sagr, "mae": mae, "r2": r2}


def _is_constant(values: np.ndarray) -> bool:
    return bool(np.ptp(values) == 0)


def _mean_over_classes(
    score: Callable[[np.ndarray, np.ndarray], float], truth: np.ndarray, probabilities: np.ndarray
) -> float:
    present = np.unique(truth)
    if len(present) < 2:
        raise UndefinedMetricError(f"every image is {EXPRESSIONS[present[0]]}")
    return float(np.mean([score(truth == expression, probabilities[:, expression]) for expression in present]))
