"""Whether groups differ by more than chance: shuffled among the images, they would not."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from affect.core.rng import rng_for
from affect.evaluation.bootstrap import COUNTS_PER_BLOCK
from affect.evaluation.groups.division import Group
from affect.evaluation.groups.sides import GROUP, OTHERS, find_beside, metrics_of_sides
from affect.evaluation.resampled_metrics import ResampledMetrics

# The place of a group among the groups, task and metric.
Comparison = tuple[int, str, str]
Sums = Mapping[str, np.ndarray]
ROUNDING = 1e-9


def adjusted_p(
    table: pd.DataFrame,
    groups: Sequence[Group],
    differences: Mapping[Comparison, float],
    shuffles: int,
    seed: int,
) -> dict[Comparison, float]:
    """Return, in (0, 1], the probability that any of the differences is as large as this one if groups did not matter.

    The differences, in standard deviations, are compared with the largest of them whenever what is known of the images
    is shuffled among them. So p is right for groups of few images, and allows for the number of comparisons and for
    those that go together.

    table: predictions with the columns of affect.core.predictions.COLUMNS. differences: of each group from the others.

    Source: Westfall and Young, Resampling-based multiple testing (1993), the single-step maxT method.
    """
    if not differences:
        return {}
    compared = list(differences)
    beside = find_beside(groups)
    drawn = np.concatenate([_differ(sums, beside, compared) for sums in _shuffle(table, groups, shuffles, seed)])
    # What a shuffle leaves undefined is no difference.
    drawn = np.nan_to_num(drawn)
    mean, deviation = drawn.mean(axis=0), drawn.std(axis=0)
    # A metric that is the same in all images tells no groups apart.
    deviation[deviation < ROUNDING] = np.inf
    largest = np.abs((drawn - mean) / deviation).max(axis=1)
    scores = np.abs((np.array(list(differences.values())) - mean) / deviation)
    reached = (largest[:, None] >= scores - ROUNDING).sum(axis=0)
    return dict(zip(compared, ((1 + reached) / (1 + shuffles)).tolist(), strict=True))


def _shuffle(table: pd.DataFrame, groups: Sequence[Group], shuffles: int, seed: int) -> Iterator[list[Sums]]:
    """Yield the sums of each group in blocks of shuffles, in which all that is known of an image goes to another."""
    rng = rng_for(seed, "groups")
    whole = ResampledMetrics(table, np.float32)
    members = [group.members.astype(np.float32) for group in groups]
    per_block = max(1, COUNTS_PER_BLOCK // len(table))
    for first in range(0, shuffles, per_block):
        rows = min(per_block, shuffles - first)
        order = rng.permuted(np.tile(np.arange(len(table)), (rows, 1)), axis=1)
        yield [whole.sums(member[order]) for member in members]


def _differ(sums: Sequence[Sums], beside: np.ndarray, compared: Sequence[Comparison]) -> np.ndarray:
    """Return how far each group is from the others, (rows, comparisons)."""
    values = metrics_of_sides(sums, beside)
    differences = [
        values[place, GROUP, task, metric] - values[place, OTHERS, task, metric] for place, task, metric in compared
    ]
    return np.stack(differences, axis=1)
