"""Bootstrap intervals: how much a metric would vary if other images had been evaluated.

A resample is a row of counts, how often each image is in it, so that a metric of counted images is computed for many
resamples at once.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from scipy.stats import norm, t

from affect.core.rng import rng_for

Name = TypeVar("Name")
Interval = tuple[float, float]

CONFIDENCE = 0.95

# If over 5 % of the resamples leave it undefined, the others are biased: report no interval.
MAX_UNDEFINED = 0.05
MAX_GROUPS = 1000
COUNTS_PER_BLOCK = 250_000


@dataclass(frozen=True)
class BootstrapEstimate:
    """A metric of a set of images, and its values for resamples of them.

    resampled: (resamples,) float, the metric of each resample; jackknife: (groups,) float, the metric without each
    group of the images; NaN where it is undefined.
    """

    estimate: float
    resampled: np.ndarray
    jackknife: np.ndarray

    def __sub__(self, other: "BootstrapEstimate") -> "BootstrapEstimate":
        """Return the difference of two estimates of the same resamples."""
        return BootstrapEstimate(
            self.estimate - other.estimate, self.resampled - other.resampled, self.jackknife - other.jackknife
        )

    def interval(self) -> Interval | None:
        """Return the bias-corrected and accelerated (BCa) 95 % interval, with Student's t quantiles.

        Returns None where the metric is undefined, or is in more than one in twenty of the resamples.

        Plain BCa has normal quantiles. Student's are wider, because the spread of the resamples is itself estimated
        from the images. Their degrees of freedom follow from the kurtosis of the jackknife's influence values.

        Source: Efron, Better bootstrap confidence intervals (1987); Hesterberg, What teachers should know about the
        bootstrap (2015), section 4.3, for the wider quantiles.
        """
        defined = self.resampled[~np.isnan(self.resampled)]
        if np.isnan(self.estimate) or len(defined) < (1 - MAX_UNDEFINED) * len(self.resampled):
            return None
        below = np.mean(defined < self.estimate) + np.mean(defined == self.estimate) / 2
        # Clip to half a resample: a proportion of 0 or 1 would give an infinite bias correction.
        bias = norm.ppf(np.clip(below, 0.5 / len(defined), 1 - 0.5 / len(defined)))
        acceleration, freedom = _shape_of_influence(self.jackknife[~np.isnan(self.jackknife)])
        bounds = bias + t.ppf([(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2], freedom)
        levels = norm.cdf(bias + bounds / (1 - acceleration * bounds))
        low, high = np.quantile(defined, levels, method="weibull")
        return float(low), float(high)


def bootstrap(
    compute: Callable[[np.ndarray], dict[Name, np.ndarray]], n_images: int, resamples: int, seed: int
) -> dict[Name, BootstrapEstimate]:
    """Return the metrics that `compute` makes of counted images, all of them in the same resamples.

    compute: takes counts, (rows, images) float32, and returns (rows,) of each metric by its name.
    """
    estimates = compute(np.ones((1, n_images), np.float32))
    resampled = _join(map(compute, resample(n_images, resamples, seed)))
    jackknife = _join(map(compute, leave_out(n_images)))
    return {
        name: BootstrapEstimate(float(estimate[0]), resampled[name], jackknife[name])
        for name, estimate in estimates.items()
    }


def resample(n_images: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Yield the counts of images sampled with replacement, in blocks of (some, images) float32."""
    rng = rng_for(seed, "bootstrap")
    per_block = max(1, COUNTS_PER_BLOCK // n_images)
    for first in range(0, resamples, per_block):
        rows = min(per_block, resamples - first)
        cells = rng.integers(n_images, size=(rows, n_images)) + np.arange(rows)[:, None] * n_images
        yield np.bincount(cells.ravel(), minlength=rows * n_images).reshape(rows, n_images).astype(np.float32)


def leave_out(n_images: int) -> Iterator[np.ndarray]:
    """Yield the counts of the jackknife, each row without one of at most 1,000 groups, as (some, images) float32."""
    groups = min(n_images, MAX_GROUPS)
    group = np.arange(n_images) % groups
    per_block = max(1, COUNTS_PER_BLOCK // n_images)
    for first in range(0, groups, per_block):
        left_out = np.arange(first, min(first + per_block, groups))
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
