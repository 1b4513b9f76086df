"""Rows in a file as they come: what a killed run has finished stays, and another goes on after it."""

import csv
import io
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd

from affect.core.files import encode_text, require_new
from affect.core.places import require_place
from affect.inference.tables.marker import UNFINISHED, locked, read_marker, write_marker
from affect.inference.tables.parquet import BOOLEANS, INTEGERS, PARQUET, TEXTS, to_parquet
from affect.plumbing.errors import InputError

# Of the rows, where the table itself is Parquet.
ROWS = ".rows.csv"

# A face, by the names of the columns; None and NaN are written as nothing.
Row = dict[str, Any]


class RowFile:
    """A CSV that the rows of pictures, and of frames of videos, are appended to.

    done: the sources that an earlier run has finished. begun: the source whose frames it may not all have had, and
    which are in `file`. faults: what an earlier run could not read whole.
    """

    def __init__(
        self, file: Path, columns: Sequence[str], done: frozenset[str] = frozenset(), begun: str | None = None
    ) -> None:
        self.file = file
        self.columns = columns
        self.done = done
        self.begun = begun
        self.is_empty = not (done or begun)
        self.faults: list[str] = []
        self.marker: Path | None = None

    def note(self, fault: str) -> None:
        """Keep what could not be read, for a run that goes on after this one."""
        self.faults.append(fault)
        if self.marker is not None:
            write_marker(self.marker, read_marker(self.marker, self.file) | {"faults": self.faults})

    def require(self, sources: Collection[str]) -> None:
        """Raise InputError where an earlier run has predicted anything but these."""
        gone = {*self.done, *([self.begun] if self.begun else [])}.difference(sources)
        if gone:
            raise InputError(f"{min(gone)} is in {self.file}, and not among what is named now; name all as before")

    def append(self, rows: Sequence[Row]) -> None:
        """Append rows, after the names of the columns where they are the first. Raises OSError for a full disk."""
        text = io.StringIO()
        writer = csv.DictWriter(text, self.columns, restval="", lineterminator="\n")
        if self.is_empty:
            writer.writeheader()
        writer.writerows({name: value for name, value in row.items() if not pd.isna(value)} for row in rows)
        try:
            with self.file.open("ab") as opened:
                opened.write(encode_text(text.getvalue()))
        except OSError as error:
            # Python does not name the file when a write fails for want of space.
            error.filename = f"{self.file}, which --resume goes on with"
            raise
        self.is_empty = False


@contextmanager
def open_rows(
    output: Path, columns: Sequence[str], made_with: Callable[[], Mapping[str, Any]], resume: bool = False
) -> Iterator[RowFile]:
    """Yield a new table's rows, or with `resume` those that a killed run has left.

    output: a CSV, or a .parquet, which is made of the rows at the end. made_with: returns what two runs must have in
    common to write one table. A run that ends before its first row leaves nothing.
    Raises InputError where something has the name, where there is nothing to go on with, and where another command is
    writing the table.
    """
    require_place(output)
    marker = output.with_name(output.name + UNFINISHED)
    file = output.with_name(output.name + ROWS) if output.suffix.lower() == PARQUET else output
    made = made_with()
    if not resume:
        _begin(output, file, marker, {"made_with": made, "faults": []})
    elif not marker.is_file():
        raise InputError(f"{output}: no run has left it unfinished; leave out --resume, and name a new file")
    with locked(marker, output):
        begun = read_marker(marker, file)
        if begun["made_with"] != made:
            raise InputError(f"{output} was begun with another model or other options ({marker}); name a new file")
        rows = RowFile(file, columns, *(_cut_unfinished(file) if resume else ()))
        rows.faults, rows.marker = begun["faults"], marker
        try:
            yield rows
        except BaseException:
            if rows.is_empty:
                _remove(file, marker)
            raise
        if file != output:
            to_parquet(file, output)
            _remove(file)
        _remove(marker)


def read_pictures(file: Path, source: str | None = None) -> Iterator[list[Row]]:
    """Yield the rows of each picture and frame in a CSV, of all sources or of one, as they were appended."""
    with file.open(encoding="utf-8", newline="") as opened:
        rows = (row for row in csv.DictReader(opened) if source in (None, row["source"]))
        for _, picture in groupby(rows, key=_picture):
            yield [{name: _parse(name, text) for name, text in row.items()} for row in picture]


def _picture(row: Mapping[str, str]) -> tuple[str, str]:
    return row["source"], row["frame"]


def _parse(name: str, text: str) -> str | float | bool | None:
    if name in TEXTS or not text:
        return text or None
    if name in BOOLEANS:
        return text == "True"
    return int(text) if name in INTEGERS else float(text)


def _begin(output: Path, file: Path, marker: Path, content: Mapping[str, Any]) -> None:
    """Make an empty file for the rows, and the marker. Raises InputError where anything has a name that is needed."""
    for path in dict.fromkeys((output, file, marker)):
        require_new(path, "file, or go on with it by --resume" if marker.is_file() else "file")
    output.parent.mkdir(parents=True, exist_ok=True)
    file.touch(exist_ok=False)
    marker.touch(exist_ok=False)
    try:
        write_marker(marker, content)
    except OSError as error:
        _remove(file, marker)
        error.filename = str(marker)
        raise


def _cut_unfinished(file: Path) -> tuple[frozenset[str], str | None]:
    """Cut the rows of the last picture or frame off, since they may not be all.

    Returns the sources before the last, and the last if it is a video with frames that are left.
    """
    done: set[str] = set()
    before: tuple[str, str] | None = None
    last: tuple[str, str] | None = None
    with file.open("rb") as opened:
        header = opened.readline()
        names = next(csv.reader([header.decode()]), [])
        start = end = len(header)
        for line in opened:
            if not line.endswith(b"\n"):
                break
            try:
                picture = _picture(dict(zip(names, next(csv.reader([line.decode()])), strict=True)))
            except (ValueError, KeyError, csv.Error):
                # What a power cut has left of a block.
                break
            if picture != last:
                before, last, start = last, picture, end
                done |= {before[0]} if before and before[0] != picture[0] else set()
            end += len(line)
    os.truncate(file, start if before else 0)
    return frozenset(done), last[0] if before and last and before[0] == last[0] else None


def _remove(*files: Path) -> None:
    for file in files:
        with suppress(FileNotFoundError):
            file.unlink()
