"""A table of pictures: a CSV whose column `path` says where each is.

Its other columns are expression (a name, or a number that data.classes explains), valence, arousal, person, split, box
and id; whatever is in further ones can be evaluated by group. data.columns has the names where the table has others.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from affect.data.images.cropping import Box
from affect.data.images.files import compose, name_files, natural_order
from affect.data.images.reading import ImageLimits, UnusableImageError, read_image
from affect.data.layouts.classes import LEFT_OUT, number_classes
from affect.data.layouts.folders import SPLIT_FOLDERS
from affect.data.layouts.item import ROUNDING, Item, Labels, check_name, check_va, find_picture
from affect.data.tables import list_tables, read_header, read_table, show
from affect.plumbing.errors import InputError

NEEDED = ("path", "expression")
OWN = (*NEEDED, "valence", "arousal", "split", "box", "id")


@dataclass(frozen=True)
class Table:
    """The layout. file: the CSV's name in raw, needed where several fit. classes, columns: those of section data.

    va_range: the lowest and the highest valence and arousal of the table, which stand for -1 and 1.
    """

    raw: Path
    file: str | None = None
    classes: list[str] | None = None
    columns: Mapping[str, str] | None = None
    va_range: tuple[float, float] = (-1.0, 1.0)
    reads: ClassVar[frozenset[str]] = frozenset({"table", "columns", "classes", "va_range"})

    @classmethod
    def fits(cls, raw: Path) -> bool:
        """Whether a CSV in the folder has the needed columns."""
        return bool(find_tables(raw, NEEDED))

    def list_items(self) -> list[Item]:
        """List the rows, in the order of their ids.

        Raises InputError for a table without the needed columns, and for a class or split that is none.
        """
        table = self._read()
        numbers = number_classes(filter(None, table["expression"]), self.classes, self.raw)
        ids = table["id"].map(compose) if "id" in table else name_files(list(table["path"]))
        repeated = Counter(ids)
        further = [name for name in table.columns if name not in OWN]
        items = []
        for id, row in zip(ids, table.to_dict("records"), strict=True):
            # Labels are read later: a faulty one costs a picture, not the run.
            source = (numbers.get(row["expression"]), *(row.get(name, "") for name in ("valence", "arousal", "box")))
            split = self._split(row["split"]) if "split" in row else None
            columns = {name: row[name] for name in further}
            items.append(Item(id, row["path"], (*source, repeated[id] > 1), split, columns))
        return sorted(items, key=lambda item: natural_order(item.id))

    def read_labels(self, item: Item) -> Labels:
        """Read the labels of a row; an empty valence or arousal is not annotated.

        Raises UnusableImageError for a missing or unreadable label, and for several rows of one id.
        """
        expression, valence, arousal, box, repeated = item.source
        check_name(item.id)
        if repeated:
            raise UnusableImageError("duplicate_id", f"{item.id} is in several rows; a column id tells faces apart")
        if expression is None:
            raise UnusableImageError("no_annotation", f"{item.id} has no expression")
        if expression == LEFT_OUT:
            raise UnusableImageError("class_left_out", f"{item.id}: data.classes leaves its class out")
        return Labels(
            expression,
            self._scale("valence", valence, item.id),
            self._scale("arousal", arousal, item.id),
            box=read_box(box, item.id) if box else None,
        )

    def read_picture(self, item: Item, limits: ImageLimits) -> np.ndarray:
        """Read the picture. Raises UnusableImageError where it is missing, unusable, or outside the dataset."""
        return read_image(find_picture(self.raw, item.file), limits)

    def _read(self) -> pd.DataFrame:
        table = read_table(self._choose_file())
        ours: dict[str, pd.Series] = {}
        taken: set[str] = set()
        for name, theirs in (self.columns or {}).items():
            parts = _parts(theirs, list(table.columns))
            if missing := [part for part in parts if part not in table]:
                raise InputError(
                    f"data.columns: {name} is to be {missing[0]!r}, but the table has {show(list(table.columns))}"
                )
            ours[name] = table[parts].agg(" ".join, axis=1) if len(parts) > 1 else table[parts[0]]
            taken |= {*parts, name}
        return table.drop(columns=list(taken & set(table.columns))).assign(**ours)

    def _choose_file(self) -> Path:
        """Return the table. Raises InputError unless one is named or alone has the needed columns."""
        tables = list_tables(self.raw)
        if self.file is not None:
            if self.raw / self.file not in tables:
                raise InputError(f"data.table: {self.raw} has no {self.file}, but {_names(tables)}")
            tables = [self.raw / self.file]
        needed = {part for ours in NEEDED for part in (self.columns or {}).get(ours, ours).split()}
        fitting = [
            file for file in tables if needed <= {part for name in read_header(file) for part in (name, *name.split())}
        ]
        if len(fitting) > 1:
            raise InputError(
                f"data.raw: {self.raw} has {_names(fitting)}; name one with -S data.table={fitting[0].name}"
            )
        if not fitting:
            found = "; ".join(f"{file.name} has {show(read_header(file))}" for file in tables) or "it has no CSV"
            raise InputError(
                f"data.raw: {self.raw}: no table with the columns {' and '.join(NEEDED)} ({found}). "
                f"-S 'data.columns=[path:NAME]' says which column is one of {', '.join((*OWN, 'person'))}; "
                f"`python src/look.py {self.raw}` says which layouts fit"
            )
        return fitting[0]

    def _split(self, name: str) -> str:
        if name.casefold() not in SPLIT_FOLDERS:
            raise InputError(f"data.raw: {self.raw}: split is {name!r}, but should be train, val or test")
        return SPLIT_FOLDERS[name.casefold()]

    def _scale(self, task: str, text: str, id: str) -> float:
        """Return a valence or arousal in [-1, 1], NaN where it is empty, or -2 as AffectNet marks what it lacks."""
        if not text:
            return np.nan
        value = read_number(text, f"{task} of {id}")
        low, high = self.va_range
        if (low, high) == (-1, 1):
            # Scaling would round: the same labels in another layout are the same bytes.
            return check_va(value, f"{task} of {id}")
        scaled = 2 * (value - low) / (high - low) - 1
        if abs(scaled) > 1 + ROUNDING:
            raise UnusableImageError("affect_out_of_range", f"{task} of {id} is {text}, not in [{low:g}, {high:g}]")
        return min(max(scaled, -1.0), 1.0)


def find_tables(raw: Path, needed: tuple[str, ...]) -> list[Path]:
    """List the CSV files of a folder that have the needed columns."""
    return [file for file in list_tables(raw) if set(needed) <= set(read_header(file))]


def read_number(text: str, name: str) -> float:
    """Return a number. Raises UnusableImageError for a text that is none."""
    try:
        # Python takes 1_0 for 10.
        value = math.nan if "_" in text else float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UnusableImageError("annotation_unreadable", f"{name} is {text[:40]!r}, not a number")
    return value


def read_box(text: str, name: str) -> Box:
    """Return a box of four numbers: left, top, width and height in pixels. Raises UnusableImageError otherwise."""
    numbers = [read_number(part, f"box of {name}") for part in re.split(r"[\s,;]+", text.strip("[]() "))]
    if len(numbers) != 4 or min(numbers[2:]) <= 0:
        raise UnusableImageError("box_unreadable", f"box of {name} is {text[:40]!r}, not left, top, width and height")
    return Box(*numbers)


def _parts(theirs: str, names: list[str]) -> list[str]:
    """Return the columns that a text names: one, or several separated by spaces, as of a box."""
    return [theirs] if theirs in names else theirs.split()


def _names(files: list[Path]) -> str:
    return ", ".join(file.name for file in files) or "no CSV"
