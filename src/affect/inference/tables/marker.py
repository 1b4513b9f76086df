"""The file beside a table that is not whole: what its rows are made with, and what could not be read."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from affect.plumbing.errors import InputError

UNFINISHED = ".unfinished"


def write_marker(marker: Path, content: Mapping[str, Any]) -> None:
    """Replace the content of a marker that is there: in place, since it is locked."""
    with marker.open("r+", encoding="utf-8") as opened:
        opened.write(json.dumps(content, indent=2) + "\n")
        opened.truncate()


def read_marker(marker: Path, file: Path) -> dict[str, Any]:
    """Return a marker's content. file: of the rows. Raises InputError where it is none."""
    try:
        content = json.loads(marker.read_text(encoding="utf-8"))
        return {"made_with": content["made_with"], "faults": content["faults"]}
    except (ValueError, TypeError, KeyError):
        raise InputError(f"{marker}: not what a run has left; remove it and {file}, and begin anew") from None


@contextmanager
def locked(marker: Path, output: Path) -> Iterator[None]:
    """Lock a table by its marker. Raises InputError where another command has it."""
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
