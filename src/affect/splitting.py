"""Which images are used and on which side of the split: by a draw for each image, or by a list."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from affect.errors import InputError
from affect.randomness import digest

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

    `faces` has an id as its index and the columns expression and group; `fractions` maps "val" and "test" to
    shares in [0, 1). Returns the split of each id.
    """
    groups = faces.groupby("group", sort=False).agg(expression=("expression", "first"), size=("expression", "size"))
    groups = groups.loc[_draw_order(groups.index, seed, "split")]
    split = pd.Series("train", index=groups.index)
    for _, members in groups.groupby("expression"):
        waiting = members["size"]
        for name, fraction in fractions.items():
            taken = _fill(waiting, round(fraction * int(members["size"].sum())))
            split[taken] = name
            waiting = waiting.drop(taken)
    return faces["group"].map(split).rename("split")


def read_split_file(file: Path) -> pd.Series:
    """Read the columns id and split (train, val or test) of a CSV. Raises InputError for any other content."""
    try:
        table = pd.read_csv(file, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError(f"data.split_file: {file} can't be read: {' '.join(str(error).split())}") from None
    if not {"id", "split"} <= set(table.columns):
        raise InputError(f"data.split_file: {file} has the columns {', '.join(table.columns)}, but needs id and split")
    unknown = table[~table["split"].isin(SPLITS)]
    if len(unknown):
        raise InputError(
            f"data.split_file: {file}: split is {unknown['split'].iloc[0]!r}, but should be train, val or test"
        )
    repeated = table[table["id"].duplicated()]
    if len(repeated):
        raise InputError(f"data.split_file: {file} lists the id {repeated['id'].iloc[0]} twice")
    return table.set_index("id")["split"]


def require_images(split: pd.Series, wanted: tuple[str, ...]) -> None:
    """Raise InputError where one of the `wanted` splits holds no image."""
    for name in wanted:
        if not (split == name).any():
            raise InputError(
                f"the {name} split is empty with {len(split)} images; "
                f"use more of them, or change data.val_fraction, data.test_fraction or data.split_file"
            )


def _draw_order(ids: pd.Index, seed: int, draw: str) -> list[str]:
    return sorted(ids, key=lambda id: digest(seed, draw, id))


def _share_out(total: int, counts: pd.Series) -> pd.Series:
    """Share `total` out in proportion to `counts`, by largest remainder."""
    exact = counts * (total / counts.sum())
    quotas = np.floor(exact).astype(int)
    remainders = (exact - quotas).sort_values(ascending=False, kind="stable")
    quotas[remainders.index[: total - quotas.sum()]] += 1
    return quotas


def _fill(sizes: pd.Series, quota: int) -> list[str]:
    """Take groups in their order as long as they fit into the quota."""
    taken = []
    for group, size in sizes.items():
        if size <= quota:
            taken.append(str(group))
            quota -= size
    return taken
