"""Which images are used: a draw for each, which depends on the seed and on its id alone."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from affect.core.rng import hash_seed
from affect.plumbing.errors import InputError


def sample_stratified(strata: pd.Series, size: int, seed: int) -> pd.Index:
    """Choose `size` ids, from each stratum in proportion to its share.

    `strata` maps id to stratum. An id's place in the draw depends on the seed and on itself alone.
    Raises InputError where there are fewer ids than `size`.
    """
    if size > len(strata):
        raise InputError(f"data.sample_size is {size}, but only {len(strata)} images are usable; null takes them all")
    drawn = strata.loc[draw_order(strata.index, seed, "sample")]
    quotas = _share_out(size, strata.value_counts().sort_index())
    rank = drawn.groupby(drawn).cumcount()
    return drawn.index[rank < drawn.map(quotas)]


def sample_training(expressions: pd.Series, fraction: float, seed: int) -> pd.Index:
    """Choose a fraction of the ids of each expression, at least one; those of a smaller fraction are among them.

    `expressions` maps id to expression.
    """
    drawn = expressions.loc[draw_order(expressions.index, seed, "training")]
    sizes = drawn.map(drawn.value_counts())
    return drawn.index[drawn.groupby(drawn).cumcount() < (fraction * sizes).round().clip(lower=1)]


def draw_order(ids: Iterable[str], seed: int, draw: str) -> list[str]:
    """Return the ids in an order that depends on the seed, the name of the draw and the ids alone."""
    return sorted(ids, key=lambda id: hash_seed(seed, draw, id))


def _share_out(total: int, counts: pd.Series) -> pd.Series:
    """Share `total` out in proportion to `counts`, by largest remainder."""
    exact = counts * (total / counts.sum())
    quotas = np.floor(exact).astype(int)
    remainders = (exact - quotas).sort_values(ascending=False, kind="stable")
    quotas[remainders.index[: total - quotas.sum()]] += 1
    return quotas
