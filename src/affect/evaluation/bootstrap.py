"""Bootstrap intervals: how much a figure would vary if other images had been evaluated.

A resample is a row of counts, how often each image is in it, so that any figure that is computed from counted images
is computed for many resamples at once.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from scipy.stats import norm, t

from affect.core.rng import generator

Name = TypeVar("Name")
Interval = tuple[float, float]

CONFIDENCE = 0.95

# Where a figure is undefined in more of the resamples, the remaining ones are too select a sample of them.
MOST_UNDEFINED = 0.05
MOST_GROUPS = 1000
COUNTS_AT_ONCE = 250_000


@dataclass(frozen=True)
class Figure:
    """A figure of a set of images, and what it would be for others.

    resampled: (resamples,) float, the figure in each resample; jackknife: (groups,) float, the figure without each
    group of the images; NaN where it is undefined.
    """

    estimate: float
    resampled: np.ndarray
    jackknife: np.ndarray

    def __sub__(self, other: "Figure") -> "Figure":
        """Return the difference of two figures of the same resamples."""
        return Figure(
            self.estimate - other.estimate, self.resampled - other.resampled, self.jackknife - other.jackknife
        )

    def interval(self) -> Interval | None:
        """Return the bias-corrected and accelerated (BCa) 95 % interval.

        Returns None where the figure is undefined, or is in more than one in twenty of the resamples.

        The quantiles are Student's instead of the normal ones, because the spread of the resamples is itself estimated
        from the images. Its degrees of freedom follow from the kurtosis of the jackknife's influence values.

        Source: Efron, Better bootstrap confidence intervals (1987); Hesterberg, What teachers should know about the
        bootstrap (2015), section 4.3, for the wider quantiles.
        """
        defined = self.resampled[~np.isnan(self.resampled)]
        if np.isnan(self.estimate) or len(defined) < (1 - MOST_UNDEFINED) * len(self.resampled):
            return None
        below = np.mean(defined < self.estimate) + np.mean(defined == self.estimate) / 2
        # An estimate beyond all of its resamples has no finite bias; half a resample is the most that they can tell.
        bias = norm.ppf(np.clip(below, 0.5 / len(defined), 1 - 0.5 / len(defined)))
        acceleration, freedom = _shape_of_influence(self.jackknife[~np.isnan(self.jackknife)])
        bounds = bias + t.ppf([(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], freedom)
        levels = norm.cdf(bias + bounds / (1 - acceleration * bounds))
        low, high = np.quantile(defined, levels, method="weibull")
        return float(low), float(high)


def bootstrap(
    compute: Callable[[np.ndarray], dict[Name, np.ndarray]], images: int, resamples: int, seed: int
) -> dict[Name, Figure]:
    """Return the figures that `compute` makes of counted images, all of them in the same resamples.

    compute: takes counts, (rows, images) float32, and returns (rows,) of each figure by its name.
    """
    estimates = compute(np.ones((1, images), np.float32))
    resampled = _join(map(compute, resample(images, resamples, seed)))
    jackknife = _join(map(compute, leave_out(images)))
    return {name: Figure(float(value[0]), resampled[name], jackknife[name]) for name, value in estimates.items()}


def resample(images: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Yield the counts of images drawn with replacement, in parts of (some, images) float32."""
    draws = generator(seed, "bootstrap")
    at_once = max(1, COUNTS_AT_ONCE // images)
    for first in range(0, resamples, at_once):
        rows = min(at_once, resamples - first)
        cells = draws.integers(images, size=(rows, images)) + np.arange(rows)[:, None] * images
        yield np.bincount(cells.ravel(), minlength=rows * images).reshape(rows, images).astype(np.float32)


def leave_out(images: int) -> Iterator[np.ndarray]:
    """Yield the counts of the jackknife, each row without one of at most 1,000 groups, as (some, images) float32."""
    groups = min(images, MOST_GROUPS)
    group = np.arange(images) % groups
    at_once = max(1, COUNTS_AT_ONCE // images)
    for first in range(0, groups, at_once):
        left_out = np.arange(first, min(first + at_once, groups))
        yield (left_out[:, None] != group).astype(np.float32)


def _shape_of_influence(jackknife: np.ndarray) -> tuple[float, float]:
    """Return the acceleration, and the degrees of freedom of a variance that is estimated from the influence values."""
    if len(jackknife) == 0:
        return 0.0, np.inf
    influence = jackknife.mean() - jackknife
    squares = np.sum(influence**2)
    if squares == 0:
        return 0.0, np.inf
    kurtosis = len(jackknife) * np.sum(influence**4) / squares**2
    # A variance of n values with kurtosis k varies as one of 2n / (k - 1) degrees of freedom does.
    return float(np.sum(influence**3) / (6 * squares**1.5)), 2 * len(jackknife) / max(kurtosis - 1, 1e-9)


def _join(parts: Iterable[dict[Name, np.ndarray]]) -> dict[Name, np.ndarray]:
    parts = list(parts)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
