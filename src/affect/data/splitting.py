"""Which images are used and on which side of the split: by a draw for each image, or by a list."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from affect.core.rng import hash_seed
from affect.data.affectnet import compose
from affect.plumbing.errors import InputError

SPLITS = ("train", "val", "test")


def sample_stratified(strata: pd.Series, size: int, seed: int) -> pd.Index:
    """Choose `size` ids, from each stratum in proportion to its share.

    `strata` maps id to stratum. An id's place in the draw depends on the seed and on itself alone.
    Raises InputError where there are fewer ids than `size`.
    """
    if size > len(strata):
        raise InputError(f"data.sample_size is {size}, but only {len(strata)} images are usable; null takes them all")
    drawn = strata.loc[_draw_order(strata.index, seed, "sample")]
    quotas = _share_out(size, strata.value_counts().sort_index())
    rank = drawn.groupby(drawn).cumcount()
    return drawn.index[rank < drawn.map(quotas)]


def split_by_fraction(faces: pd.DataFrame, fractions: Mapping[str, float], seed: int) -> pd.Series:
    """Give each fraction of every expression to its split, and the rest to train; a group is never divided.

    Each image counts under its own expression, and where groups are large a split gets what whole groups allow.
    `faces` has an id as its index and the columns expression and group; `fractions` maps "val" and "test" to
    shares in [0, 1). Returns the split of each id.
    """
    counts = pd.crosstab(faces["group"], faces["expression"])
    counts = counts.loc[_draw_order(counts.index, seed, "split")]
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


def read_split_file(file: Path) -> pd.Series:
    """Read the columns id and split (train, val or test) of a CSV. Raises InputError for any other content."""
    try:
        table = pd.read_csv(file, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError(f"data.split_file: {file} can't be read: {' '.join(str(error).split())}") from None
    if not {"id", "split"} <= set(table.columns):
        raise InputError(f"data.split_file: {file} has the columns {', '.join(table.columns)}, but needs id and split")
    table["id"] = table["id"].map(compose)
    unknown = table[~table["split"].isin(SPLITS)]
    if len(unknown):
        raise InputError(
            f"data.split_file: {file}: split is {unknown['split'].iloc[0]!r}, but should be train, val or test"
        )
    repeated = table[table["id"].duplicated()]
    if len(repeated):
        raise InputError(f"data.split_file: {file} lists the id {repeated['id'].iloc[0]} twice")
    return table.set_index("id")["split"]


def require_images(faces: pd.DataFrame, wanted: tuple[str, ...]) -> None:
    """Raise InputError where one of the `wanted` splits holds no image; `faces` has the columns split and group."""
    sizes = faces["group"].value_counts()
    copies = sizes[sizes > 1]
    cause = (
        f"; {copies.sum()} of them are duplicates, which stay on one side (up to {copies.max()} of one picture): "
        f"if they are none, lower data.duplicate_distance"
        if len(copies)
        else ""
    )
    for name in wanted:
        if not (faces["split"] == name).any():
            raise InputError(
                f"the {name} split is empty with {len(faces)} images{cause}; "
                f"use more of them, or change data.val_fraction, data.test_fraction or data.split_file"
            )


def _draw_order(ids: pd.Index, seed: int, draw: str) -> list[str]:
    return sorted(ids, key=lambda id: hash_seed(seed, draw, id))


def _share_out(total: int, counts: pd.Series) -> pd.Series:
    """Share `total` out in proportion to `counts`, by largest remainder."""
    exact = counts * (total / counts.sum())
    quotas = np.floor(exact).astype(int)
    remainders = (exact - quotas).sort_values(ascending=False, kind="stable")
    quotas[remainders.index[: total - quotas.sum()]] += 1
    return quotas


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
