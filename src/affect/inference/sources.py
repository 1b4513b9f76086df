"""What is to be predicted: pictures and videos, named one by one or in folders."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from affect.data.images.files import IMAGE_SUFFIXES, is_image, name_files, walk
from affect.inference.videos import is_video
from affect.inference.videos.reading import VIDEO_SUFFIXES
from affect.plumbing.errors import InputError
from affect.plumbing.stage import printable


@dataclass(frozen=True)
class Source:
    """A picture or video; id and name are what the table calls it, on one line each."""

    file: Path
    id: str
    name: str
    is_video: bool


def list_sources(paths: Sequence[Path]) -> tuple[list[Source], list[Path]]:
    """List the pictures and videos among paths and in folders, and the files in the folders that are neither.

    Raises InputError for a path that is neither file nor folder, and where there is nothing.
    """
    files: dict[Path, None] = {}
    others: list[Path] = []
    for path in paths:
        if path.is_dir():
            for file in sorted(walk(path)):
                if is_image(file.name) or is_video(file.name):
                    files[file] = None
                else:
                    others.append(file)
        elif path.exists():
            files[path] = None
        else:
            raise InputError(f"{path}: no such file or folder")
    if not files:
        endings = ", ".join((*IMAGE_SUFFIXES, *VIDEO_SUFFIXES))
        raise InputError(f"no {endings} file in {', '.join(map(str, paths))}")
    ids = name_files([str(file) for file in files])
    sources = [
        Source(file, printable(id), printable(str(file)), is_video(file.name))
        for file, id in zip(files, ids, strict=True)
    ]
    return sources, others
