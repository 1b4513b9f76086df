"""Outputs that appear whole or not at all, and that replace nothing but files of the same name."""

import errno
import fcntl
import glob
import json
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePath

import pandas as pd

from affect.plumbing.errors import InputError

_KINDS = {
    stat.S_IFREG: "a file",
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a link",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def require_place(file: Path) -> None:
    """Raise InputError where something other than a file is in the place of a file to be written, and OSError where
    its folder can't be written."""
    if _is_other_than_file(file):
        raise InputError(f"{file} is {_kind(file)}, where a file is to be written; it is left as it is: move it away")
    folder = file.parent
    while not os.path.lexists(folder):
        folder = folder.parent
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        error.filename = str(file)
        raise


def require_folder(folder: Path, made: Collection[str] = ()) -> None:
    """Raise InputError where a folder to be written is there and holds anything but files of the names in `made`, or
    where something else is in its place."""
    if not os.path.lexists(folder):
        return
    if folder.is_symlink() or not folder.is_dir():
        raise InputError(
            f"{folder} is {_kind(folder)}, where a folder is to be written; it is left as it is: move it away"
        )
    parents = {str(parent) for file in made for parent in PurePath(file).parents}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        is_folder = path.is_dir() and not path.is_symlink()
        if not (name in parents if is_folder else name in made and not _is_other_than_file(path)):
            raise InputError(
                f"{folder} holds {name!r} and is left as it is; move it away, or let `dvc repro` run the stage: "
                f"it first removes what it has recorded"
            )


@contextmanager
def whole_file(file: Path) -> Iterator[Path]:
    """Give the path of a file to write; it takes the place of `file` once it is complete, and is removed on an error.

    Raises InputError where something other than a file is in that place. What a killed process has left unfinished is
    removed first.
    """
    require_place(file)
    with _unfinished(file) as unfinished:
        yield unfinished
        _flush(unfinished)
        unfinished.replace(file)


@contextmanager
def new_file(file: Path) -> Iterator[Path]:
    """Give the path of a file to write, as `whole_file` does, for a name that nothing has: nothing is replaced.

    Raises InputError, at once, where the name is taken. If it is taken meanwhile, what was written is kept beside it,
    and the error says where.
    """
    if os.path.lexists(file):
        raise InputError(f"{file} is {_kind(file)} that is there already, and is left as it is; name a new file")
    require_place(file)
    with _unfinished(file) as unfinished:
        unfinished.touch()
        yield unfinished
        _flush(unfinished)
        try:
            file.touch(exist_ok=False)
        except FileExistsError:
            kept = file.with_name(f"{file.stem}-{secrets.token_hex(4)}{file.suffix}")
            kept.touch(exist_ok=False)
            unfinished.replace(kept)
            raise InputError(f"{file} has come meanwhile and is left as it is; the result is in {kept}") from None
        unfinished.replace(file)


@contextmanager
def whole_folder(folder: Path, made: Collection[str] = ()) -> Iterator[Path]:
    """Give an empty folder to fill; it becomes `folder` once it is complete.

    made: the paths in it of the files that the caller makes; those of an earlier run are replaced. Raises InputError
    as `require_folder` does.
    """
    require_folder(folder, made)
    with _unfinished(folder) as unfinished:
        unfinished.mkdir()
        yield unfinished
        _flush(unfinished)
        for name in made:
            (folder / name).unlink(missing_ok=True)
        for path in sorted(folder.rglob("*"), reverse=True):
            path.rmdir()
        unfinished.replace(folder)


def write_text(file: Path, text: str) -> None:
    """Write a text in UTF-8; what can't be encoded is written as its escape."""
    with whole_file(file) as unfinished:
        unfinished.write_bytes(_encode(text))


def write_json(file: Path, content: dict) -> None:
    """Write JSON that a person can read."""
    write_text(file, json.dumps(content, indent=2, allow_nan=False) + "\n")


def write_table(file: Path, table: pd.DataFrame) -> None:
    """Write a table as CSV, without its index."""
    with whole_file(file) as unfinished:
        unfinished.write_bytes(encode_table(table))


def encode_table(table: pd.DataFrame) -> bytes:
    """Return a table as CSV in UTF-8, without its index."""
    return _encode(table.to_csv(index=False, lineterminator="\n"))


def _encode(text: str) -> bytes:
    return text.encode("utf-8", errors="backslashreplace")


@contextmanager
def _unfinished(path: Path) -> Iterator[Path]:
    """Give a path in a folder of its own beside `path`; the folder is locked while it is worked in, then removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(path)
    # A process that lives on, such as a killed one's worker, must not write into what its successor has begun.
    workshop = path.with_name(f"affect.tmp.{secrets.token_hex(4)}")
    try:
        workshop.mkdir()
        with _locked(workshop):
            yield workshop / path.name
    except OSError as error:
        # Python names a file that can't be opened, but not one that can't be written any further.
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            error.filename = str(path)
        raise
    finally:
        if workshop.exists():
            shutil.rmtree(workshop)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold a folder's lock. Raises BlockingIOError where another process holds it."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _remove_leftovers(path: Path) -> None:
    """Remove what killed processes have left of it; those that are alive, here or elsewhere, hold their locks."""
    for left in path.parent.glob(f"affect.tmp.{'[0-9a-f]' * 8}/{glob.escape(path.name)}"):
        with suppress(BlockingIOError, FileNotFoundError), _locked(left.parent):
            shutil.rmtree(left.parent)


def _is_other_than_file(path: Path) -> bool:
    return os.path.lexists(path) and not stat.S_ISREG(path.lstat().st_mode)


def _kind(path: Path) -> str:
    return _KINDS[stat.S_IFMT(path.lstat().st_mode)]


def _flush(path: Path) -> None:
    """Make sure that a file, or all files of a folder, are on the disk before they take their name."""
    for file in [path, *path.rglob("*")]:
        descriptor = os.open(file, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
