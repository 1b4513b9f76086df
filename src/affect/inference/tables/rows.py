"""Rows in a file as they come: what a killed run has finished stays, and another goes on after it."""

import csv
import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pandas as pd

from affect.core.files import encode_table
from affect.core.places import kind_of, require_place
from affect.inference.parquet import PARQUET, to_parquet
from affect.plumbing.errors import InputError

# Beside a table that is not whole: what its rows are made with. And the rows, where the table itself is Parquet.
UNFINISHED, ROWS = ".unfinished", ".rows.csv"


class RowFile:
    """A CSV that tables are appended to.

    done: what an earlier run has finished, of the column `source`. No field holds a line break.
    """

    def __init__(self, file: Path, done: frozenset[str] = frozenset()) -> None:
        self.file = file
        self.done = done
        self.is_empty = not done

    def append(self, table: pd.DataFrame) -> None:
        """Append a table, with the names of its columns where it is the first."""
        content = encode_table(table)
        with self.file.open("ab") as opened:
            opened.write(content if self.is_empty else content.partition(b"\n")[2])
        self.is_empty = False


@contextmanager
def open_rows(output: Path, made_with: Callable[[], Mapping[str, Any]], resume: bool = False) -> Iterator[RowFile]:
    """Yield a new table's rows, or with `resume` those that a killed run has left.

    output: a CSV, or a .parquet, which is made of the rows at the end. made_with: returns what two runs must have in
    common to write one table. A run that ends before its first row leaves nothing.
    Raises InputError where something has the name, where there is nothing to go on with, and where another command is
    writing the table.
    """
    require_place(output)
    marker = output.with_name(output.name + UNFINISHED)
    file = output.with_name(output.name + ROWS) if output.suffix.lower() == PARQUET else output
    if not resume:
        _begin(output, file, marker)
        marker.write_text(json.dumps(made_with(), indent=2) + "\n", encoding="utf-8")
    elif not marker.is_file():
        raise InputError(f"{output}: no run has left it unfinished; leave out --resume, and name a new file")
    with _locked(marker, output):
        if resume and json.loads(marker.read_text(encoding="utf-8")) != made_with():
            raise InputError(f"{output} was begun with another model or other options ({marker}); name a new file")
        rows = RowFile(file, _cut_unfinished(file) if resume else frozenset())
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


def _begin(output: Path, file: Path, marker: Path) -> None:
    """Make an empty file for the rows, and the marker. Raises InputError where anything has a name that is needed."""
    for path in dict.fromkeys((output, file, marker)):
        if os.path.lexists(path):
            further = ", or go on with it by --resume" if marker.is_file() else ""
            what = f"{path} is {kind_of(path)} that is there already, and is left as it is"
            raise InputError(f"{what}; name a new file{further}")
    output.parent.mkdir(parents=True, exist_ok=True)
    file.touch(exist_ok=False)
    marker.touch(exist_ok=False)


def _cut_unfinished(file: Path) -> frozenset[str]:
    """Cut the rows of the last source off, since they may not be all, and return the other sources."""
    header, *lines = file.read_bytes().splitlines(keepends=True) or [b""]
    if lines and not lines[-1].endswith(b"\n"):
        lines.pop()
    sources = [row["source"] for row in csv.DictReader(line.decode() for line in (header, *lines))]
    finished = sources.index(sources[-1]) if sources else 0
    os.truncate(file, len(header) + sum(map(len, lines[:finished])) if finished else 0)
    return frozenset(sources[:finished])


@contextmanager
def _locked(marker: Path, output: Path) -> Iterator[None]:
    descriptor = os.open(marker, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise InputError(f"{output}: another command is writing it") from None
    try:
        yield
    finally:
        os.close(descriptor)


def _remove(*files: Path) -> None:
    for file in files:
        with suppress(FileNotFoundError):
            file.unlink()
