"""What a layout gives of a dataset: the interface that every layout has."""

import os
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, Protocol

import numpy as np

from affect.core.labels import EXCLUDED_EXPRESSIONS, EXPRESSIONS, NOT_ANNOTATED
from affect.data.images.cropping import Box
from affect.data.images.reading import ImageLimits, UnusableImageError

# How far a valence or arousal may lie outside [-1, 1]: ten times what rounding to float32 can do.
ROUNDING = 1e-6
N_LANDMARKS = 68


@dataclass(frozen=True, slots=True)
class Item:
    """A picture of a dataset, or what should be one.

    file: its path in the folder of the dataset, as far as it is known. source: by which the layout finds picture and
    labels again. split: train, val or test where the dataset has an official split. columns: what else the dataset says
    of it, by the column's name.
    """

    id: str
    file: str
    source: Any = None
    split: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of a picture.

    expression: 0-7. valence, arousal: in [-1, 1], NaN where not annotated. votes: (8,) the share of each expression
    among the annotators. box: the face. landmarks: (68, 2) positions (x, y) in pixels, in the order of iBUG 300-W.
    """

    expression: int
    valence: float = np.nan
    arousal: float = np.nan
    votes: tuple[float, ...] | None = None
    box: Box | None = None
    landmarks: np.ndarray | None = None


class Layout(Protocol):
    """A dataset as it lies on disk. It is read where it is, and nothing of it is copied.

    reads: the parameters of section data that are of this layout and of few others.
    """

    reads: ClassVar[frozenset[str]]

    @property
    def raw(self) -> Path:
        """The folder."""

    @classmethod
    def fits(cls, raw: Path) -> bool:
        """Whether a folder looks like this layout; a glance, which reads no more than a line."""

    def list_items(self) -> list[Item]:
        """List the pictures, in an order that does not depend on the disk.

        Raises InputError where the folder is not in this layout, or has a class that is none of the eight.
        """

    def read_labels(self, item: Item) -> Labels:
        """Read the labels of one picture. Raises UnusableImageError for missing and unreadable ones."""

    def read_picture(self, item: Item, limits: ImageLimits) -> np.ndarray:
        """Read the whole picture, (height, width, 3) uint8 RGB. Raises UnusableImageError where it is unusable."""


def find_picture(raw: Path, file: str) -> Path:
    """Return where a picture is that a list names by its path in the dataset, however accents are stored on the disk.

    Raises UnusableImageError for a path that leads out of the dataset, and where there is no file.
    """
    path = PurePosixPath(file)
    if path.is_absolute() or ".." in path.parts:
        raise UnusableImageError("no_image", f"{file!r} lies outside data.raw, where DVC would not see it")
    forms = (file, unicodedata.normalize("NFC", file), unicodedata.normalize("NFD", file))
    found = next((form for form in forms if form and os.path.lexists(raw / form)), None)
    if found is None:
        raise UnusableImageError("no_image", f"there is no file {file!r}")
    return raw / found


def check_name(id: str) -> None:
    """Raise UnusableImageError for an id that no table could hold."""
    if not id:
        raise UnusableImageError("no_id", "an id is empty")
    check_printable(id)


def check_printable(id: str) -> None:
    """Raise UnusableImageError for an id with characters that can't be printed."""
    if not id.isprintable():
        raise UnusableImageError("name_unprintable", f"{id!r} has characters that can't be printed")


def check_expression(value: float, name: str) -> int:
    """Return AffectNet's number of an expression. Raises UnusableImageError for one that is none of the eight."""
    if value in EXCLUDED_EXPRESSIONS:
        excluded = EXCLUDED_EXPRESSIONS[int(value)]
        raise UnusableImageError(f"expression_{excluded}", f"{name} is {value:g} ({excluded})")
    if value not in range(len(EXPRESSIONS)):
        raise UnusableImageError("expression_out_of_range", f"{name} is {value:.12g}, not 0 to 7")
    return int(value)


def check_va(value: float, name: str) -> float:
    """Return a valence or arousal, NaN for AffectNet's -2. Raises UnusableImageError for one outside [-1, 1]."""
    if abs(value - NOT_ANNOTATED) <= ROUNDING:
        return np.nan
    if abs(value) > 1 + ROUNDING:
        raise UnusableImageError("affect_out_of_range", f"{name} is {value:.12g}, not in [-1, 1] or -2")
    return min(max(value, -1.0), 1.0)
