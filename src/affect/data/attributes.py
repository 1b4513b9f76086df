"""A dataset as it is read: its pictures, the person on each, and what else is known of them."""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePath

import pandas as pd

from affect.core.labels import VOTES
from affect.core.records import ATTRIBUTE
from affect.data.images.files import compose
from affect.data.layouts.item import Item, Layout
from affect.data.layouts.registry import open_layout
from affect.data.tables import read_table, show
from affect.plumbing.errors import InputError
from affect.plumbing.params import Dataset

# A table beside the pictures of any layout, with the column id and whatever is known of each.
FILE = "attributes.csv"
PERSON = "person"
# More values are no groups, unless they are numbers, which can be divided into ranges.
MAX_VALUES = 12


def list_dataset(dataset: Dataset) -> tuple[Layout, list[Item]]:
    """Return the layout of a dataset and its pictures, with the columns of attributes.csv and the person.

    Raises InputError where the dataset is not in its layout, and where data.person finds no person in a picture.
    """
    layout = open_layout(dataset)
    items = layout.list_items()
    if (layout.raw / FILE).is_file():
        items = _join_attributes(items, layout.raw / FILE)
    if dataset.person is not None:
        items = [replace(item, columns={**item.columns, PERSON: _find_person(item, dataset.person)}) for item in items]
    return layout, [_compose_person(item) for item in items]


def tabulate(items: Sequence[Item]) -> pd.DataFrame:
    """Return the person on each item, and its further columns, whose names begin with ATTRIBUTE; texts, empty where one
    is not known."""
    table = pd.DataFrame.from_records([dict(item.columns) for item in items], index=range(len(items))).fillna("")
    named = table.rename(columns={name: name if name == PERSON else f"{ATTRIBUTE}{name}" for name in table.columns})
    return named if PERSON in named else named.assign(**{PERSON: ""})


def index_columns(used: pd.DataFrame) -> list[str]:
    """Return the columns of the index of records: labels, and what is known of the images."""
    own = [name for name in ("id", "split", "expression", "valence", "arousal", "group") if name in used]
    people = [PERSON] if (used[PERSON] != "").any() else []
    votes = VOTES if VOTES[0] in used else []
    return [*own, *people, *votes, *choose_attributes(used)]


def choose_attributes(columns: pd.DataFrame) -> list[str]:
    """Return the further columns by which images can be grouped: those of few values, and those of numbers."""
    chosen = []
    for name, values in columns.items():
        known = values[values != ""]
        if not str(name).startswith(ATTRIBUTE) or known.nunique() < 2:
            continue
        if known.nunique() <= MAX_VALUES or pd.to_numeric(known, errors="coerce").notna().all():
            chosen.append(str(name))
    return chosen


def _join_attributes(items: list[Item], file: Path) -> list[Item]:
    table = read_table(file)
    if "id" not in table:
        raise InputError(f"{file}: has the columns {show(list(table.columns))}, but needs id")
    ids = table["id"].map(compose)
    if ids.duplicated().any():
        raise InputError(f"{file}: has the id {ids[ids.duplicated()].iloc[0]!r} twice")
    rows = dict(zip(ids, table.drop(columns="id").to_dict("records"), strict=True))
    if not rows.keys() & {item.id for item in items}:
        raise InputError(f"{file}: has no id of the dataset, such as {items[0].id!r}, but {ids.iloc[0]!r}")
    return [replace(item, columns=rows[item.id] | dict(item.columns)) if item.id in rows else item for item in items]


def _compose_person(item: Item) -> Item:
    """Return the item with the person's name in one form, whichever that of each file is."""
    person = item.columns.get(PERSON, "")
    return item if person.isascii() else replace(item, columns={**item.columns, PERSON: compose(person)})


def _find_person(item: Item, rule: int | str) -> str:
    """Return the person on a picture, by a folder's level or by a regular expression on the id."""
    if isinstance(rule, str):
        found = re.search(rule, item.id)
        # The group that has matched, as of several alternatives; all of it where there is no group.
        if found and (person := next(filter(None, found.groups() or (found[0],)), None)):
            return person
        raise InputError(f"data.person: {rule!r} finds no person in the id {item.id!r}; its first group should be one")
    if not item.file:
        # An id without a picture is dropped later, with its reason.
        return ""
    folders = PurePath(item.file).parts[:-1]
    level = rule - 1 if rule > 0 else rule
    if not -len(folders) <= level < len(folders):
        raise InputError(f"data.person: {item.file or item.id!r} has no folder of level {rule}")
    return folders[level]
