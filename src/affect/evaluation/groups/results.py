"""What evaluate.json says of the groups of a network's predictions."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from affect.core.predictions import DECIMALS
from affect.evaluation.bootstrap import BootstrapEstimate, bootstrap
from affect.evaluation.groups.division import Group
from affect.evaluation.groups.shuffling import Comparison, adjusted_p
from affect.evaluation.groups.sides import GROUP, METRICS, OTHERS, Key, ResampledSides, count_annotated

# Fewer images give no interval that could be trusted.
MIN_IMAGES = 10
SIGNIFICANCE = 0.05


def evaluate_groups(table: pd.DataFrame, groups: Sequence[Group], resamples: int, seed: int) -> list[dict]:
    """Return for each group: attribute, group, images, metrics by task, their 95 % intervals, and its differences from
    all images that are in other groups of the attribute.

    A difference has its interval, p as `adjusted_p` returns it, and `differs`: whether p is at most 0.05 and the
    interval leaves 0 out. A metric for which fewer than 10 images are annotated has no interval; neither has one that
    is the same in all resamples, and its difference is judged by p alone. There is no difference of a metric for which
    fewer than 10 images are annotated in the group or in the others.

    table: predictions with the columns of affect.core.predictions.COLUMNS. resamples: also the number of shuffles.
    """
    if not groups:
        return []
    counts = {task: count_annotated(table, groups, task) for task, _ in METRICS}
    # On a busy machine threads that wait for each other make these many small products twenty times slower.
    with threadpool_limits(1, "blas"):
        estimates = bootstrap(ResampledSides(table, groups), len(table), resamples, seed)
        differences = _subtract(estimates, counts)
        p_values = adjusted_p(table, groups, {key: one.estimate for key, one in differences.items()}, resamples, seed)
    results = []
    for place, group in enumerate(groups):
        described = {"attribute": group.attribute, "group": group.name, "images": int(group.members.sum())}
        described |= _describe_metrics(place, estimates, counts)
        described["differences"] = [
            {"task": task, "metric": metric}
            | _describe_difference(
                differences[place, task, metric],
                p_values[place, task, metric],
                has_interval=all(_bounds(estimates[place, side, task, metric]) for side in (GROUP, OTHERS)),
            )
            for task, metric in METRICS
            if (place, task, metric) in differences
        ]
        results.append(described)
    return results


def _subtract(
    estimates: Mapping[Key, BootstrapEstimate], counts: Mapping[str, np.ndarray]
) -> dict[Comparison, BootstrapEstimate]:
    differences = {
        (place, task, metric): estimates[place, GROUP, task, metric] - others
        for (place, side, task, metric), others in estimates.items()
        if side == OTHERS and (counts[task][place] >= MIN_IMAGES).all()
    }
    return {key: difference for key, difference in differences.items() if not np.isnan(difference.estimate)}


def _describe_metrics(
    place: int, estimates: Mapping[Key, BootstrapEstimate], counts: Mapping[str, np.ndarray]
) -> dict[str, dict]:
    metrics: dict[str, dict] = {}
    intervals: dict[str, dict] = {}
    for task, metric in METRICS:
        estimate = estimates.get((place, GROUP, task, metric))
        if estimate is None or np.isnan(estimate.estimate):
            continue
        metrics.setdefault(task, {})[metric] = _round(estimate.estimate)
        bounds = _bounds(estimate)
        if bounds is not None and counts[task][place, 0] >= MIN_IMAGES:
            intervals.setdefault(task, {})[metric] = bounds
    return metrics | {"intervals": intervals}


def _describe_difference(difference: BootstrapEstimate, p: float, has_interval: bool) -> dict:
    bounds = _bounds(difference) if has_interval else None
    leaves_zero_out = bounds is None or not bounds[0] <= 0 <= bounds[1]
    described = {"difference": _round(difference.estimate)} | ({"interval": bounds} if bounds else {})
    return described | {"p": _round(p), "differs": p <= SIGNIFICANCE and leaves_zero_out}


def _bounds(estimate: BootstrapEstimate) -> list[float] | None:
    """Return the 95 % interval; None where the resamples give none, or are all the same."""
    interval = estimate.interval()
    return None if interval is None or interval[0] == interval[1] else [_round(bound) for bound in interval]


def _round(value: float) -> float:
    # Adding 0 makes a 0 of a negative one.
    return round(value, DECIMALS) + 0
