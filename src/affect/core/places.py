"""Whether something that no stage has made stands where an output is to be written."""

import os
import stat
import tempfile
from collections.abc import Collection
from pathlib import Path, PurePath

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
        raise InputError(f"{file} is {kind_of(file)}, where a file is to be written; it is left as it is: move it away")
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
            f"{folder} is {kind_of(folder)}, where a folder is to be written; it is left as it is: move it away"
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


def _is_other_than_file(path: Path) -> bool:
    return os.path.lexists(path) and not stat.S_ISREG(path.lstat().st_mode)


def kind_of(path: Path) -> str:
    """Return what lies at a path, which may be a broken link, in words."""
    return _KINDS[stat.S_IFMT(path.lstat().st_mode)]
