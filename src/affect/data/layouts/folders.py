"""A folder for each class: `[train|val|test/]class/picture`, as RAF-DB, FER2013 and CK+ are passed round.

Below its class a picture may lie in any folder. Class folders have no valence and arousal.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import ClassVar

import numpy as np

from affect.data.images.files import IMAGE_SUFFIXES, is_image, name_files, natural_order, walk
from affect.data.images.reading import ImageLimits, UnusableImageError, read_image
from affect.data.layouts.classes import KNOWN, LEFT_OUT, number_classes
from affect.data.layouts.item import Item, Labels, check_name
from affect.plumbing.errors import InputError

SPLIT_FOLDERS = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
    # FER2013's own names.
    "publictest": "val",
    "privatetest": "test",
}
# Endings of what people write beside pictures: no fault, and no class if a folder holds nothing else.
NOTES = ("", ".txt", ".md", ".csv", ".tsv", ".json", ".xml", ".yaml", ".yml", ".pdf", ".html", ".log")


@dataclass(frozen=True)
class Folders:
    """The layout. classes: data.classes."""

    raw: Path
    classes: list[str] | None = None
    reads: ClassVar[frozenset[str]] = frozenset({"classes"})

    @classmethod
    def fits(cls, raw: Path) -> bool:
        """Whether there is a folder with the name of an expression, or with a number, in raw or in a split of it."""
        places = [raw, *(folder for folder in _folders(raw) if folder.name.casefold() in SPLIT_FOLDERS)]
        names = [folder.name.casefold() for place in places for folder in _folders(place)]
        return any(name in KNOWN or name.isdecimal() for name in names)

    def list_items(self) -> list[Item]:
        """List the files below class folders but notes, in the order of their ids.

        Raises InputError where a class is none of the eight, a picture lies in no class folder, or there is none.
        """
        files = sorted(file.relative_to(self.raw).as_posix() for file in walk(self.raw))
        placed = {file: _place(file) for file in files}
        pictures = [file for file in files if is_image(file)]
        if loose := [file for file in pictures if placed[file] is None]:
            raise InputError(f"data.raw: {self.raw / loose[0]} lies in no folder of a class")
        if not pictures:
            raise InputError(f"data.raw: {self.raw} holds no {', '.join(IMAGE_SUFFIXES)} file")
        # What lies beside the class folders are notes; in them each file of another kind should be a picture.
        labelled = [(file, place) for file in files if (place := placed[file]) is not None and not _is_note(file)]
        numbers = number_classes((name for _, (_, name) in labelled), self.classes, self.raw)
        ids = name_files([file for file, _ in labelled])
        repeated = Counter(ids)
        items = [
            Item(id, file, (numbers[name], repeated[id] > 1), split)
            for id, (file, (split, name)) in zip(ids, labelled, strict=True)
        ]
        return sorted(items, key=lambda item: natural_order(item.id))

    def read_labels(self, item: Item) -> Labels:
        """Return the expression of its folder. Raises UnusableImageError for a class that is left out."""
        check_name(item.id)
        expression, repeated = item.source
        if repeated:
            raise UnusableImageError("duplicate_id", f"several files are called {item.file}; their accents differ")
        if not is_image(item.file):
            raise UnusableImageError("no_image", f"{item.file} is of no ending that is read")
        if expression == LEFT_OUT:
            raise UnusableImageError("class_left_out", f"{item.file}: data.classes leaves its class out")
        return Labels(expression)

    def read_picture(self, item: Item, limits: ImageLimits) -> np.ndarray:
        """Read the picture. Raises UnusableImageError where it is unusable."""
        return read_image(self.raw / item.file, limits)


def _place(file: str) -> tuple[str | None, str] | None:
    """Return the split and the class of a path within the dataset; None for one that is in no class folder."""
    parts = PurePath(file).parts
    split = SPLIT_FOLDERS.get(parts[0].casefold()) if len(parts) > 1 else None
    start = 1 if split else 0
    return (split, parts[start]) if len(parts) > start + 1 else None


def _is_note(file: str) -> bool:
    return PurePath(file).suffix.casefold() in NOTES


def _folders(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
