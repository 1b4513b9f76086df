"""The twelve metrics of weighted images, vectorised over resamples.

Tests hold them to affect.evaluation.metrics, which is a thousand times slower on thousands of resamples.
"""

from collections.abc import Iterator, Mapping
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import DTypeLike

from affect.core.labels import EXPRESSIONS, VALENCE_AROUSAL
from affect.core.predictions import PROBABILITIES

CLASSES = len(EXPRESSIONS)

# A variance of values in [-1, 1] that is below this is rounding.
SMALLEST_VARIANCE = 1e-12


class ResampledMetrics:
    """Computes the metrics of one table (the columns of affect.core.predictions.COLUMNS) for given counts.

    precision: of the sums for valence and arousal; float32 is several times faster, and right to four digits.
    """

    def __init__(self, table: pd.DataFrame, precision: DTypeLike = np.float64) -> None:
        self.table = table
        pairs = table["expression"].to_numpy() * CLASSES + table["predicted_expression"].to_numpy()
        self.pairs = np.eye(CLASSES**2, dtype=np.float32)[pairs]
        terms = {task: _va_terms(table, task) for task in VALENCE_AROUSAL}
        self.terms = {task: values.astype(precision) for task, values in terms.items() if values is not None}

    @cached_property
    def rankings(self) -> list["_Ranking"]:
        """The images by falling probability of each expression that occurs."""
        truth = self.table["expression"].to_numpy()
        return [
            _Ranking(truth == expression, self.table[PROBABILITIES[expression]].to_numpy())
            for expression in np.unique(truth)
        ]

    def __call__(self, counts: np.ndarray) -> dict[tuple[str, str], np.ndarray]:
        """Return each metric by (task, name) as (rows,) for counts of (rows, images) float32; NaN where undefined."""
        metrics = metrics_of_sums(self.sums(counts))
        with np.errstate(divide="ignore", invalid="ignore"):
            areas = np.array([ranking.areas(counts) for ranking in self.rankings])
            roc, precision_recall = _mean_of_defined(areas)
        emotion = {name: metrics.pop(name) for name in list(metrics) if name[0] == "emotion"}
        return emotion | {("emotion", "auc_roc"): roc, ("emotion", "auc_pr"): precision_recall} | metrics

    def sums(self, counts: np.ndarray, images: np.ndarray | slice = slice(None)) -> dict[str, np.ndarray]:
        """Return by task the sums over the images from which all metrics but the two areas follow.

        Those of several sets of images add up. counts: (rows, images) float32. images: the places of those that count,
        all by default. Returns (rows, terms) float64.
        """
        terms = {"emotion": self.pairs} | self.terms
        counted = counts[:, images]
        return {task: (counted @ values[images]).astype(np.float64) for task, values in terms.items()}


def metrics_of_sums(sums: Mapping[str, np.ndarray]) -> dict[tuple[str, str], np.ndarray]:
    """Return each metric by (task, name) as (rows,) from the sums of ResampledMetrics.sums; NaN where undefined."""
    with np.errstate(divide="ignore", invalid="ignore"):
        metrics = {"emotion": _expression_metrics(sums["emotion"].reshape(-1, CLASSES, CLASSES))}
        metrics |= {task: _va_metrics(summed) for task, summed in sums.items() if task != "emotion"}
    return {(task, name): values for task, named in metrics.items() for name, values in named.items()}


class _Ranking:
    """One expression against the rest: the images by falling probability, as far as they matter to both areas."""

    def __init__(self, positive: np.ndarray, probability: np.ndarray) -> None:
        self.order = np.argsort(-probability, kind="stable")
        tie = np.unique(-probability[self.order], return_inverse=True)[1]
        self.positives = np.flatnonzero(positive[self.order])
        # Only ties with a positive image raise the curve; each is a step from its first image to its last.
        ties, self.first_positives = np.unique(tie[self.positives], return_index=True)
        self.starts = np.searchsorted(tie, ties, side="left")
        self.ends = np.searchsorted(tie, ties, side="right")

    def areas(self, counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the area under the ROC curve and the average precision, each (rows,), of (rows, images) counts."""
        counted = counts[:, self.order]
        passed = _running_sum(counted)
        hits = _running_sum(counted[:, self.positives])
        starts, ends = passed[:, self.starts], passed[:, self.ends]
        hits_at_starts = hits[:, self.first_positives]
        hits_at_ends = np.concatenate([hits_at_starts[:, 1:], hits[:, -1:]], axis=1)
        gained = hits_at_ends - hits_at_starts
        positives = hits[:, -1]
        negatives = passed[:, -1] - positives
        misses = (starts - hits_at_starts + ends - hits_at_ends) / 2
        roc = 1 - (gained * misses).sum(axis=1) / (positives * negatives)
        precision = np.divide(hits_at_ends, ends, out=np.zeros_like(ends), where=ends > 0)
        return roc, np.where(negatives > 0, (gained * precision).sum(axis=1) / positives, np.nan)


def _running_sum(counts: np.ndarray) -> np.ndarray:
    return np.concatenate([np.zeros((len(counts), 1)), np.cumsum(counts, axis=1, dtype=np.float64)], axis=1)


def _mean_of_defined(areas: np.ndarray) -> Iterator[np.ndarray]:
    """Average (expressions, kinds, rows) over the expressions that occur in a row's images; NaN where none does."""
    defined = ~np.isnan(areas)
    return iter(np.where(defined, areas, 0).sum(axis=0) / defined.sum(axis=0))


def _expression_metrics(confusion: np.ndarray) -> dict[str, np.ndarray]:
    """Compute from (rows, truth, prediction) counts of images."""
    images = confusion.sum(axis=(1, 2))
    true, predicted = confusion.sum(axis=2), confusion.sum(axis=1)
    hits = np.diagonal(confusion, axis1=1, axis2=2)
    agreement = hits.sum(axis=1) / images
    occurs = true > 0
    f1 = np.where(occurs, 2 * hits / np.where(occurs, true + predicted, 1), 0).sum(axis=1) / occurs.sum(axis=1)
    by_chance = (true * predicted).sum(axis=1) / images**2
    pooled = true + predicted
    alike = (pooled * (pooled - 1)).sum(axis=1) / (2 * images * (2 * images - 1))
    return {
        "accuracy": agreement,
        "f1": f1,
        "cohen_kappa": (agreement - by_chance) / (1 - by_chance),
        "krippendorff_alpha": 1 - (1 - agreement) / (1 - alike),
    }


def _va_terms(table: pd.DataFrame, task: str) -> np.ndarray | None:
    """Return what the metrics of a task sum over the images, (images, 9), zero where it is not annotated."""
    truth, prediction = table[task].to_numpy(np.float64), table[f"predicted_{task}"].to_numpy(np.float64)
    known = ~(np.isnan(truth) | np.isnan(prediction))
    if not known.any():
        return None
    truth, prediction = np.where(known, truth, 0), np.where(known, prediction, 0)
    error = truth - prediction
    same_sign = known & (np.sign(truth) == np.sign(prediction))
    return np.stack(
        [known, truth, prediction, truth**2, prediction**2, truth * prediction, error**2, np.abs(error), same_sign],
        axis=1,
    ).astype(np.float64)


def _va_metrics(sums: np.ndarray) -> dict[str, np.ndarray]:
    """Compute from the (rows, 9) sums of _va_terms."""
    means = (sums[:, 1:] / sums[:, :1]).T
    true, predicted, true_square, predicted_square, product, square_error, error, same_sign = means
    covariance = product - true * predicted
    true_variance = _positive(true_square - true**2)
    predicted_variance = predicted_square - predicted**2
    return {
        "ccc": 2 * covariance / _positive(true_square - true**2 + predicted_variance + (true - predicted) ** 2),
        "rmse": np.sqrt(square_error),
        "corr": covariance / np.sqrt(true_variance * _positive(predicted_variance)),
        "sagr": same_sign,
        "mae": error,
        "r2": 1 - square_error / true_variance,
    }


def _positive(variance: np.ndarray) -> np.ndarray:
    return np.where(variance > SMALLEST_VARIANCE, variance, np.nan)
