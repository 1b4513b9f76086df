"""The groups of the evaluated images, by each column of what else is known of them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from affect.core.records import ATTRIBUTE

# Numbers of more values than this are cut into thirds.
MAX_VALUES = 12


@dataclass(frozen=True)
class Group:
    """Images that share a value, or a range of numbers, of an attribute. members: (images,) bool."""

    attribute: str
    name: str
    members: np.ndarray


def find_groups(index: pd.DataFrame) -> list[Group]:
    """Return the groups of the images of an index of records, by each of its columns that begin with ATTRIBUTE.

    An image whose value is empty is in no group of that column. Numbers of more than 12 values are cut into thirds, as
    far as equal values allow, each named by its lowest and highest value.
    """
    return [
        Group(column.removeprefix(ATTRIBUTE), name, members)
        for column in index.columns
        if column.startswith(ATTRIBUTE)
        for name, members in _divide(index[column].reset_index(drop=True))
    ]


def _divide(values: pd.Series) -> Iterator[tuple[str, np.ndarray]]:
    """Yield name and members of each group of texts: those of numbers ascend, others are in alphabetical order."""
    known = values[values != ""]
    numbers = pd.to_numeric(known, errors="coerce")
    is_number = numbers.notna().all()
    if known.nunique() <= MAX_VALUES or not is_number:
        for name in known[(numbers if is_number else known).sort_values(kind="stable").index].unique():
            yield name, (values == name).to_numpy()
        return
    third = _cut_into_thirds(numbers)
    for part in sorted(third.unique()):
        members = numbers[third == part]
        yield f"{known[members.idxmin()]} to {known[members.idxmax()]}", values.index.isin(members.index)


def _cut_into_thirds(numbers: pd.Series) -> pd.Series:
    """Return how many of two cuts lie below each number: equal numbers stay together, and no part is empty."""
    up_to = numbers.value_counts().sort_index().cumsum().iloc[:-1]
    cuts = {(up_to - len(numbers) * part / 3).abs().idxmin() for part in (1, 2)}
    return pd.concat([numbers > cut for cut in cuts], axis=1).sum(axis=1)
