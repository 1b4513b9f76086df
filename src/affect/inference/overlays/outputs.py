"""Whether what is to be drawn can be written where it is to go, before anything is predicted."""

from collections.abc import Sequence
from pathlib import Path

from affect.core.files import require_new
from affect.core.places import require_place
from affect.inference.tables.marker import UNFINISHED
from affect.inference.tables.rows import ROWS
from affect.plumbing.errors import InputError


def require_outputs(
    table: Path, copies: Path | None, page: Path | None, inputs: Sequence[Path], resume: bool = False
) -> None:
    """Check the folder of copies, which is new unless a run goes on, and the page, which is new.

    Raises InputError where they or the table are in each other's place, where something is there, and where copies
    would be read as inputs; OSError where nothing can be written.
    """
    require_place(table)
    names = [table, *(table.with_name(table.name + ending) for ending in (UNFINISHED, ROWS))]
    for path, kind in ((copies, "folder"), (page, "file")):
        if path is None:
            continue
        if path.absolute() in {name.absolute() for name in names}:
            raise InputError(f"{path} is where the table or another output goes; name a new {kind}")
        names.append(path)
        if kind == "file" or not resume:
            require_new(path, kind)
        require_place(path / "copy" if kind == "folder" else path)
    for folder in inputs if copies else ():
        if copies and folder.is_dir() and copies.resolve().is_relative_to(folder.resolve()):
            raise InputError(f"{copies} lies in {folder}, with which copies would be read too; name a folder elsewhere")
