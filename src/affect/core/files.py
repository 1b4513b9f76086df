"""Atomic writes: an output appears complete or not at all, and replaces nothing but files of the same name."""

import errno
import fcntl
import glob
import json
import os
import secrets
import shutil
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

import pandas as pd

from affect.core.places import kind_of, require_folder, require_place
from affect.plumbing.errors import InputError


@contextmanager
def atomic_file(file: Path) -> Iterator[Path]:
    """Yield a temporary path and rename it to `file` on success (atomic write); on an error it is removed.

    Leftovers of killed processes are removed first. Raises InputError where `file` is something other than a file.
    """
    require_place(file)
    with _temporary(file) as temporary:
        yield temporary
        _flush(temporary)
        temporary.replace(file)


@contextmanager
def new_file(file: Path) -> Iterator[Path]:
    """Write atomically as `atomic_file` does, to a name that nothing has: nothing is replaced.

    Raises InputError, at once, where the name is taken. If it is taken meanwhile, the result is kept beside it, and the
    error says where.
    """
    require_new(file, "file")
    require_place(file)
    with _temporary(file) as temporary:
        temporary.touch()
        yield temporary
        _put_new(temporary, file, partial(Path.touch, exist_ok=False))


@contextmanager
def atomic_folder(folder: Path, made: Collection[str] = ()) -> Iterator[Path]:
    """Yield an empty temporary folder and rename it to `folder` on success (atomic write).

    made: the paths in it of the caller's files; those of an earlier run are replaced. Raises InputError as
    `require_folder` does.
    """
    require_folder(folder, made)
    with _temporary(folder) as temporary:
        temporary.mkdir()
        yield temporary
        _flush(temporary)
        for name in made:
            (folder / name).unlink(missing_ok=True)
        for path in sorted(folder.rglob("*"), reverse=True):
            path.rmdir()
        temporary.replace(folder)


@contextmanager
def new_folder(folder: Path) -> Iterator[Path]:
    """Write a folder as `atomic_folder` does, to a name that nothing has. Raises InputError as `new_file` does."""
    require_new(folder, "folder")
    with _temporary(folder) as temporary:
        temporary.mkdir()
        yield temporary
        _put_new(temporary, folder, Path.mkdir)


def write_text(file: Path, text: str) -> None:
    """Write a text as `encode_text` returns it."""
    _write(file, encode_text(text))


def write_json(file: Path, content: dict) -> None:
    """Write JSON that a person can read."""
    write_text(file, json.dumps(content, indent=2, allow_nan=False) + "\n")


def write_table(file: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV, without its index."""
    _write(file, encode_table(table))


def encode_table(table: pd.DataFrame) -> bytes:
    """Return a table as CSV in UTF-8, without its index."""
    return encode_text(table.to_csv(index=False, lineterminator="\n"))


def require_new(path: Path, kind: str) -> None:
    """Raise InputError where something has a name, or a file stands where its folder would."""
    for parent in path.parents:
        if parent.exists() and not parent.is_dir():
            raise InputError(f"{parent} is {kind_of(parent)}, so that {path} can't lie in it; name a new {kind}")
    if os.path.lexists(path):
        raise InputError(f"{path} is {kind_of(path)} that is there already, and is left as it is; name a new {kind}")


def _put_new(temporary: Path, place: Path, claim: Callable[[Path], None]) -> None:
    """Rename to a name that nothing has, which `claim` takes or raises FileExistsError; else to one beside it."""
    _flush(temporary)
    try:
        claim(place)
    except FileExistsError:
        kept = place.with_name(f"{place.stem}-{secrets.token_hex(4)}{place.suffix}")
        claim(kept)
        temporary.replace(kept)
        raise InputError(f"{place} has come meanwhile and is left as it is; the result is in {kept}") from None
    temporary.replace(place)


def _write(file: Path, content: bytes) -> None:
    with atomic_file(file) as temporary:
        temporary.write_bytes(content)


def encode_text(text: str) -> bytes:
    """Return a text in UTF-8; what can't be encoded stands as its escape."""
    return text.encode("utf-8", errors="backslashreplace")


@contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    """Yield a path in a locked temporary folder beside `path`; the folder is removed at the end."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    # A fresh name each time: a killed process's worker may still be writing into its own folder.
    workshop = path.with_name(f"affect.tmp.{secrets.token_hex(4)}")
    try:
        workshop.mkdir()
        with _locked(workshop):
            yield workshop / path.name
    except OSError as error:
        # Python does not name the file when a write fails for want of space.
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            error.filename = str(path)
        raise
    finally:
        if workshop.exists():
            shutil.rmtree(workshop)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Lock a folder. Raises BlockingIOError where another process holds the lock."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _remove_leftovers(path: Path) -> None:
    """Remove the temporary folders of killed processes; living ones, here or elsewhere, hold their locks."""
    for leftover in path.parent.glob(f"affect.tmp.{'[0-9a-f]' * 8}/{glob.escape(path.name)}"):
        with suppress(BlockingIOError, FileNotFoundError), _locked(leftover.parent):
            shutil.rmtree(leftover.parent)


def _flush(path: Path) -> None:
    """Flush a file, or all files of a folder, to the disk."""
    for file in [path, *path.rglob("*")]:
        descriptor = os.open(file, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
