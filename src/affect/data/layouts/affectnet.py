"""AffectNet's layout: `images/{id}.jpg` and `annotations/{id}_exp.npy`, `{id}_val.npy`, `{id}_aro.npy`, `{id}_lnd.npy`.

A folder that has `train_set` and `val_set`, each in this layout, is the two joined: ids are `train_set/{id}`, since
numbers repeat, and the official split is kept.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import ClassVar

import numpy as np

from affect.data.images.files import IMAGE_SUFFIXES, compose, is_apple_double, is_image, natural_order
from affect.data.images.reading import ImageLimits, UnusableImageError, read_image
from affect.data.layouts.item import N_LANDMARKS, Item, Labels, check_expression, check_printable, check_va
from affect.data.tables import read_npy
from affect.plumbing.errors import InputError

IMAGES, ANNOTATIONS = "images", "annotations"
EXPRESSION_SUFFIX = "_exp.npy"
SETS = {"train_set": "train", "val_set": "val", "test_set": "test"}

# An annotation is one number, or 136; a file this large is something else, and would only cost time and memory.
MAX_ANNOTATION_BYTES = 65536


@dataclass(frozen=True, slots=True)
class Files:
    """The files of an id: exactly one image where the dataset is in order.

    folder: within the dataset. images: the names of its image files. annotations: the beginnings of the names of its
    annotation files, which differ from the id only in how accents are stored. others: the names of its files in images/
    whose ending is not read.
    """

    folder: str
    id: str
    images: tuple[str, ...]
    annotations: tuple[str, ...]
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class AffectNet:
    """The layout, of one folder or of several."""

    raw: Path
    align: bool = False
    reads: ClassVar[frozenset[str]] = frozenset({"align"})

    @classmethod
    def fits(cls, raw: Path) -> bool:
        """Whether there is a folder images beside one of annotations, in raw or in one of the sets."""
        return any((folder / IMAGES).is_dir() and (folder / ANNOTATIONS).is_dir() for folder in (raw, *_sets(raw)))

    def list_items(self) -> list[Item]:
        """List the ids that have an image or an expression file, in the order of the ids.

        Raises InputError where the folder is not in this layout, or holds no image.
        """
        if (self.raw / IMAGES).is_dir() or not _sets(self.raw):
            return self._list_folder("")
        return [item for folder in _sets(self.raw) for item in self._list_folder(folder.name)]

    def read_labels(self, item: Item) -> Labels:
        """Read the labels; a valence or arousal that is -2 or has no file is not annotated.

        Raises UnusableImageError for a missing, unreadable or out-of-range label and for AffectNet's labels 8-10.
        """
        _require_one(item.source)
        if not item.source.annotations:
            raise UnusableImageError("no_annotation", f"{item.source.id}{EXPRESSION_SUFFIX} is missing")
        files = os.path.join(self.raw, item.source.folder, ANNOTATIONS, item.source.annotations[0])  # noqa: PTH118
        return Labels(
            _read_expression(f"{files}{EXPRESSION_SUFFIX}"),
            _read_va(f"{files}_val.npy"),
            _read_va(f"{files}_aro.npy"),
            landmarks=_read_landmarks(f"{files}_lnd.npy") if self.align else None,
        )

    def read_picture(self, item: Item, limits: ImageLimits) -> np.ndarray:
        """Read the picture. Raises UnusableImageError unless the id has exactly one, which is usable."""
        _require_one(item.source)
        return read_image(self.raw / item.file, limits)

    def _list_folder(self, folder: str) -> list[Item]:
        images: dict[str, tuple[str, ...]] = {}
        others: dict[str, tuple[str, ...]] = {}
        for name in _list_names(self.raw / folder / IMAGES):
            files = images if is_image(name) else others
            id = compose(PurePath(name).stem)
            files[id] = (*files.get(id, ()), name)
        annotated: dict[str, tuple[str, ...]] = {}
        for name in _list_names(self.raw / folder / ANNOTATIONS):
            if name.endswith(EXPRESSION_SUFFIX):
                stored = name.removesuffix(EXPRESSION_SUFFIX)
                id = compose(stored)
                annotated[id] = (*annotated.get(id, ()), stored)
        if not images:
            instead = f", but {next(iter(others.values()))[0]!r}" if others else ""
            place = self.raw / folder / IMAGES
            raise InputError(f"data.raw: {place} holds no {', '.join(IMAGE_SUFFIXES)} file{instead}")
        items = []
        for id in sorted(images.keys() | annotated.keys(), key=natural_order):
            names = (tuple(sorted(files.get(id, ()))) for files in (images, annotated, others))
            source = Files(folder, id, *names)
            file = str(PurePath(folder, IMAGES, source.images[0])) if source.images else ""
            items.append(Item(f"{folder}/{id}" if folder else id, file, source, SETS.get(folder)))
        return items


def _sets(raw: Path) -> list[Path]:
    return [raw / name for name in SETS if (raw / name).is_dir()]


def _require_one(files: Files) -> None:
    """Raise UnusableImageError unless there is exactly one image, and its name can be printed."""
    check_printable(files.id)
    if not files.images and files.others:
        names = ", ".join(files.others)
        raise UnusableImageError("no_image", f"{names} is of no ending that is read ({', '.join(IMAGE_SUFFIXES)})")
    if not files.images:
        raise UnusableImageError("no_image", f"{files.id}{EXPRESSION_SUFFIX} has no image beside it in images/")
    for several in (files.images, files.annotations):
        if len(several) > 1:
            # Names that look the same may differ in how their accents are stored.
            alike = len({compose(name) for name in several}) < len(several)
            shown = ", ".join(map(ascii, several) if alike else several)
            raise UnusableImageError("duplicate_id", f"one id for several files: {shown}")


def _list_names(folder: Path) -> Iterator[str]:
    try:
        with os.scandir(folder) as found:
            yield from (file.name for file in found if not is_apple_double(file))
    except OSError as error:
        raise InputError(
            f"data.raw: {folder} can't be listed: {error.strerror}; `python src/look.py` says which data.layout fits"
        ) from None


def _read_expression(file: str) -> int:
    return check_expression(_read_numbers(file, 1).item(), _name(file))


def _read_va(file: str) -> float:
    try:
        return check_va(_read_numbers(file, 1).item(), _name(file))
    except FileNotFoundError:
        return np.nan


def _read_landmarks(file: str) -> np.ndarray:
    try:
        return _read_numbers(file, 2 * N_LANDMARKS).reshape(N_LANDMARKS, 2)
    except FileNotFoundError:
        name = _name(file)
        raise UnusableImageError("no_landmarks", f"{name} is missing, and data.align is eyes") from None


def _read_numbers(file: str, count: int) -> np.ndarray:
    """Read numbers, stored as numbers or, as AffectNet does, as strings, into a (count,) array.

    Raises FileNotFoundError where there is no file, and UnusableImageError for one that does not hold them.
    """
    try:
        array = read_npy(file, MAX_ANNOTATION_BYTES)
        values = np.array([float(array.item())]) if count == 1 else array.reshape(count).astype(np.float64)
    # A damaged file makes NumPy raise almost anything, down to tokenize.TokenError and SystemError.
    except Exception as error:
        if isinstance(error, FileNotFoundError) and not os.path.lexists(file):
            raise
        reason = "holds Python objects, not a number" if "allow_pickle" in str(error) else _one_line(error)
        raise UnusableImageError("annotation_unreadable", f"{_name(file)}: {reason}") from None
    if np.isnan(values).any():
        raise UnusableImageError("annotation_unreadable", f"{_name(file)} is NaN")
    return values


def _name(file: str) -> str:
    return file.rpartition("/")[2]


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
