"""The metrics of each group, and of the images that are in the other groups of its attribute."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from affect.core.labels import VALENCE_AROUSAL
from affect.evaluation.groups.division import Group
from affect.evaluation.resampled_metrics import ResampledMetrics, metrics_of_sums

METRICS = (("emotion", "accuracy"), ("emotion", "f1"), ("valence", "ccc"), ("arousal", "ccc"))

GROUP, OTHERS = "group", "others"
# The place of a group among the groups, one of its two sides, task and metric.
Key = tuple[int, str, str, str]


class ResampledSides:
    """Computes the metrics of both sides of each group for given counts of all images.

    table: predictions with the columns of affect.core.predictions.COLUMNS.
    """

    def __init__(self, table: pd.DataFrame, groups: Sequence[Group]) -> None:
        self.whole = ResampledMetrics(table)
        self.rows = [np.flatnonzero(group.members) for group in groups]
        self.beside = find_beside(groups)

    def __call__(self, counts: np.ndarray) -> dict[Key, np.ndarray]:
        """Return each metric as (rows,) for counts of (rows, images) float32; NaN where undefined."""
        return metrics_of_sides([self.whole.sums(counts, rows) for rows in self.rows], self.beside)


def find_beside(groups: Sequence[Group]) -> np.ndarray:
    """Return (groups, groups) float: 1 where the second is another group of the same attribute, else 0."""
    attributes = np.array([group.attribute for group in groups])
    return (attributes[:, None] == attributes) - np.eye(len(groups))


def metrics_of_sides(sums: Sequence[Mapping[str, np.ndarray]], beside: np.ndarray) -> dict[Key, np.ndarray]:
    """Return (rows,) of each metric of both sides of each group, from the sums of ResampledMetrics of each group."""
    values: dict[Key, np.ndarray] = {}
    of_groups = {task: np.stack([summed[task] for summed in sums]) for task in sums[0]}
    for side, weights in ((GROUP, np.eye(len(sums))), (OTHERS, beside)):
        of_side = {task: np.tensordot(weights, summed, 1) for task, summed in of_groups.items()}
        # All groups at once: numpy's calls cost more than what they compute for a few rows.
        metrics = metrics_of_sums({task: summed.reshape(-1, summed.shape[-1]) for task, summed in of_side.items()})
        for metric in METRICS:
            if metric in metrics:
                rows = metrics[metric].reshape(len(sums), -1)
                values |= {(place, side, *metric): rows[place] for place in range(len(sums))}
    return values


def count_annotated(table: pd.DataFrame, groups: Sequence[Group], task: str) -> np.ndarray:
    """Return (groups, 2) int: how many images have the label of a task in each group, and in the others."""
    annotated = np.ones(len(table), bool)
    if task in VALENCE_AROUSAL:
        annotated = table[[task, f"predicted_{task}"]].notna().all(axis=1).to_numpy()
    inside = np.array([np.sum(group.members & annotated) for group in groups])
    return np.stack([inside, (find_beside(groups) @ inside).astype(int)], axis=1)
