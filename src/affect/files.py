"""Outputs that appear whole or not at all: written beside their place, and moved there when they are complete."""

import errno
import glob
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd


@contextmanager
def whole_file(file: Path) -> Iterator[Path]:
    """Give the path of a file to write; it takes the place of `file` once it is complete, and is removed on an error.

    What a killed process has left beside `file` is removed first.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    for left in file.parent.glob(f"{glob.escape(file.stem)}.*.tmp{file.suffix}"):
        remove(left)
    # A process that lives on, such as a killed one's worker, must not write into what its successor has begun.
    unfinished, previous = (
        file.with_name(f"{file.stem}.{name}.tmp{file.suffix}") for name in (os.getpid(), f"{os.getpid()}-previous")
    )
    try:
        yield unfinished
        _flush(unfinished)
        if file.is_dir():
            file.rename(previous)
        unfinished.replace(file)
    except OSError as error:
        # Python names a file that can't be opened, but not one that can't be written any further.
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            error.filename = str(file)
        raise
    finally:
        remove(unfinished)
        remove(previous)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """Give an empty folder to fill, as `whole_file` gives a file."""
    with whole_file(folder) as unfinished:
        unfinished.mkdir()
        yield unfinished


def remove(path: Path) -> None:
    """Remove a file or a folder with all that is in it, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def write_text(file: Path, text: str) -> None:
    """Write a text in UTF-8; what can't be encoded is written as its escape."""
    with whole_file(file) as unfinished:
        unfinished.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")


def write_json(file: Path, content: dict) -> None:
    """Write JSON that a person can read."""
    write_text(file, json.dumps(content, indent=2, allow_nan=False) + "\n")


def write_table(file: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV, without its index."""
    write_text(file, table.to_csv(index=False, lineterminator="\n"))


def _flush(path: Path) -> None:
    """Make sure that a file, or all files of a folder, are on the disk before they take their name."""
    for file in [path, *path.rglob("*")]:
        descriptor = os.open(file, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
