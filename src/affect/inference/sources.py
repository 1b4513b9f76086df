"""What is to be predicted: pictures and videos, named one by one or in folders."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from affect.data.images.files import IMAGE_SUFFIXES, is_image, name_files, walk
from affect.data.images.reading import FORMATS
from affect.inference.videos import UnusableVideoError, Video, is_video
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


def list_sources(paths: Sequence[Path]) -> tuple[list[Source], list[Path], list[Path]]:
    """List the pictures and videos among paths and in folders, the other files in the folders, and what is not there.

    Raises InputError where there is nothing.
    """
    files: dict[Path, bool] = {}
    others: list[Path] = []
    missing: list[Path] = []
    for path in paths:
        if path.is_dir():
            for file in sorted(walk(path)):
                if is_image(file.name) or is_video(file.name):
                    files[file] = is_video(file.name)
                else:
                    others.append(file)
        elif path.exists():
            files[path] = _holds_video(path)
        else:
            missing.append(path)
    # A picture that is named in two ways is one.
    places: dict[Path, Path] = {}
    for file in files:
        places.setdefault(file.parent.resolve() / file.name, file)
    files = {file: files[file] for file in places.values()}
    if not files:
        what = f"{missing[0]}: no such file or folder" if missing else ""
        endings = ", ".join((*IMAGE_SUFFIXES, *VIDEO_SUFFIXES))
        raise InputError(what or f"no {endings} file in {', '.join(map(str, paths))}")
    ids = name_files([str(file) for file in files])
    sources = [
        Source(file, printable(id), printable(str(file)), holds_video)
        for (file, holds_video), id in zip(files.items(), ids, strict=True)
    ]
    return sources, others, missing


def _holds_video(file: Path) -> bool:
    """Whether a file that was named is a video: by its ending or, where that says nothing, by what is in it."""
    if is_image(file.name) or is_video(file.name):
        return is_video(file.name)
    try:
        Image.open(file, formats=FORMATS).close()
    # Pillow raises almost anything for what is no picture.
    except Exception:
        try:
            with Video(file, sys.maxsize):
                return True
        except UnusableVideoError:
            return False
    return False
