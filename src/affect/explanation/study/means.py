"""Means over images with their intervals, as a tree that becomes JSON."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from affect.core.predictions import DECIMALS
from affect.evaluation.bootstrap import bootstrap

# Where a number stands in the results.
Path = tuple[str, ...]
Tree = dict[str, Any]


def average(columns: Mapping[Path, np.ndarray], resamples: int, seed: int) -> Tree:
    """Return the mean of each column at its path, and below "intervals" its 95 % interval at the same path.

    columns: (count,) of the same images, NaN where an image has none. A mean or an interval that is not defined is left
    out. All means are of the same resamples of the images.
    """
    values = np.stack(list(columns.values()), axis=1)
    known = ~np.isnan(values)
    filled = np.where(known, values, 0)

    def compute(counts: np.ndarray) -> dict[Path, np.ndarray]:
        with np.errstate(invalid="ignore", divide="ignore"):
            means = (counts @ filled) / (counts @ known.astype(float))
        return dict(zip(columns, means.T, strict=True))

    tree: Tree = {}
    for path, estimate in bootstrap(compute, len(values), resamples, seed).items():
        if not np.isnan(estimate.estimate):
            _set(tree, path, round(estimate.estimate, DECIMALS) + 0)
        if bounds := estimate.interval():
            _set(tree, ("intervals", *path), [round(bound, DECIMALS) + 0 for bound in bounds])
    return tree


def look_up(tree: Tree, path: Path) -> Any:
    """Return what stands at a path; None where nothing does."""
    found: Any = tree
    for part in path:
        found = found.get(part) if isinstance(found, dict) else None
    return found


def _set(tree: Tree, path: Path, value: object) -> None:
    *branches, last = path
    for branch in branches:
        tree = tree.setdefault(branch, {})
    tree[last] = value
