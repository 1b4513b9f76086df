"""A split by fractions of each expression, of whole groups."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from affect.data.splitting.sampling import draw_order


def split_by_fraction(faces: pd.DataFrame, fractions: Mapping[str, float], seed: int) -> pd.Series:
    """Give each fraction of every expression to its split, and the rest to train; a group is never divided.

    Each image counts under its own expression, and where groups are large a split gets what whole groups allow.
    `faces` has an id as its index and the columns expression and group; `fractions` maps "val" and "test" to
    shares in [0, 1). Returns the split of each id.
    """
    counts = pd.crosstab(faces["group"], faces["expression"])
    counts = counts.loc[draw_order(counts.index, seed, "split")]
    # Groups with the rarest expression come first: of the others there are more left to fill up with.
    rank = counts.sum().rank(method="first")
    rarest = (counts > 0).mul(rank).where(counts > 0).min(axis=1)
    counts = counts.loc[rarest.sort_values(kind="stable").index]
    split = pd.Series("train", index=counts.index)
    for name, fraction in fractions.items():
        waiting = counts[split == "train"]
        quotas = (fraction * counts.sum()).round().astype(int)
        split[waiting.index[_fill(waiting.to_numpy(), quotas.to_numpy())]] = name
    return faces["group"].map(split).rename("split")


def _fill(sizes: np.ndarray, quotas: np.ndarray) -> np.ndarray:
    """Take groups in their order as long as they fit, then those that bring the sum nearest to the quotas.

    The last group with images of an expression is never taken. sizes: (groups, expressions), the images of each;
    quotas: (expressions,). Returns (groups,) bool.
    """
    taken = np.zeros(len(sizes), dtype=bool)
    missing, left = quotas.copy(), sizes.sum(axis=0)
    for group, size in enumerate(sizes):
        if (size <= missing).all() and _leaves_some(left, size):
            taken[group] = True
            missing, left = missing - size, left - size
    while True:
        free = np.flatnonzero(~taken & _leaves_some(left, sizes))
        distances = np.abs(missing - sizes[free]).sum(axis=1)
        if not len(free) or distances.min() >= np.abs(missing).sum():
            return taken
        nearest = free[distances.argmin()]
        taken[nearest] = True
        missing, left = missing - sizes[nearest], left - sizes[nearest]


def _leaves_some(left: np.ndarray, size: np.ndarray) -> np.ndarray:
    """Whether images of each expression are left when a group is taken that has some."""
    return ((size == 0) | (size < left)).all(axis=-1)
