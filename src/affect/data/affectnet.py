"""A folder in AffectNet's layout: `images/{id}.jpg` and `annotations/{id}_exp.npy`, `{id}_val.npy`, `{id}_aro.npy`."""

import io
import os
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from affect.core.labels import EXCLUDED_EXPRESSIONS, EXPRESSIONS, NOT_ANNOTATED
from affect.data.images import IMAGE_SUFFIXES, UnusableImageError
from affect.plumbing.errors import InputError

EXPRESSION_SUFFIX = "_exp.npy"

# An annotation is one number; a file this large is something else, and would only cost time and memory.
MAX_ANNOTATION_BYTES = 65536

# How far a valence or arousal may lie outside [-1, 1]: ten times what rounding to float32 can do.
ROUNDING = 1e-6

# What macOS leaves beside each file on a disk of another system: ._NAME, with these first bytes (RFC 1740).
APPLE_DOUBLE = b"\0\5\x16\7"


@dataclass(frozen=True, slots=True)
class Item:
    """An id of the dataset and the names of its image files: exactly one where the dataset is in order.

    annotations: the beginnings of the names of its annotation files, which differ from the id only in how accents are
    stored. others: the names of its files in images/ whose ending is not read.
    """

    id: str
    images: tuple[str, ...]
    annotations: tuple[str, ...]
    others: tuple[str, ...] = ()

    @property
    def annotation_name(self) -> str:
        """What the names of its annotation files begin with."""
        return self.annotations[0] if self.annotations else self.id


@dataclass(frozen=True, slots=True)
class Annotation:
    """AffectNet's labels of one image; valence and arousal lie in [-1, 1] and are NaN where not annotated."""

    expression: int
    valence: float
    arousal: float


def list_items(raw: Path) -> list[Item]:
    """List the ids that have an image or an expression file, in the order of the ids.

    Raises InputError where the folder is missing, is not in AffectNet's layout, or holds no image.
    """
    if not raw.is_dir():
        raise InputError(f"data.raw: {raw} is not a folder; point it at a dataset in the AffectNet layout")
    if (raw / "train_set").is_dir() and not (raw / "images").is_dir():
        raise InputError(
            f"data.raw: {raw} holds train_set and val_set, in which the same ids stand for different images; name one "
            f"of them, or join them as data/README.md says"
        )
    images: dict[str, tuple[str, ...]] = {}
    others: dict[str, tuple[str, ...]] = {}
    for name in _list_names(raw / "images"):
        file = Path(name)
        files = images if file.suffix.lower() in IMAGE_SUFFIXES else others
        id = compose(file.stem)
        files[id] = (*files.get(id, ()), name)
    annotated: dict[str, tuple[str, ...]] = {}
    for name in _list_names(raw / "annotations"):
        if name.endswith(EXPRESSION_SUFFIX):
            stored = name.removesuffix(EXPRESSION_SUFFIX)
            id = compose(stored)
            annotated[id] = (*annotated.get(id, ()), stored)
    if not images:
        found = f", but {next(iter(others.values()))[0]!r}" if others else ""
        raise InputError(f"data.raw: {raw / 'images'} holds no {', '.join(IMAGE_SUFFIXES)} file{found}")
    ids = sorted(images.keys() | annotated.keys(), key=_natural_order)
    return [Item(id, *(tuple(sorted(files.get(id, ()))) for files in (images, annotated, others))) for id in ids]


def compose(name: str) -> str:
    """Return a name with its accents composed (Unicode's NFC): macOS writes them decomposed."""
    return unicodedata.normalize("NFC", name)


def is_apple_double(file: Path) -> bool:
    """Whether a file is a macOS AppleDouble sidecar."""
    if not file.name.startswith("._") or not file.is_file():
        return False
    with file.open("rb") as opened:
        return opened.read(len(APPLE_DOUBLE)) == APPLE_DOUBLE


def single_image(item: Item) -> str:
    """Return the name of the item's image file.

    Raises UnusableImageError unless there is exactly one, and its name can be printed.
    """
    if not item.id.isprintable():
        raise UnusableImageError("name_unprintable", f"{item.id!r} has characters that can't be printed")
    if not item.images and item.others:
        names = ", ".join(item.others)
        raise UnusableImageError("no_image", f"{names} is of no ending that is read ({', '.join(IMAGE_SUFFIXES)})")
    if not item.images:
        raise UnusableImageError("no_image", f"{item.id}{EXPRESSION_SUFFIX} has no image beside it in images/")
    for files in (item.images, item.annotations):
        if len(files) > 1:
            # Names that look the same may differ in how their accents are stored.
            alike = len({compose(name) for name in files}) < len(files)
            shown = ", ".join(map(ascii, files) if alike else files)
            raise UnusableImageError("duplicate_id", f"one id for several files: {shown}")
    return item.images[0]


def read_annotation(folder: Path, name: str) -> Annotation:
    """Read the labels whose files' names begin so; a valence or arousal that is -2 or has no file is not annotated.

    Raises UnusableImageError for a missing, unreadable or out-of-range label and for AffectNet's labels 8-10.
    """
    expression_file = folder / f"{name}{EXPRESSION_SUFFIX}"
    if not expression_file.exists():
        raise UnusableImageError("no_annotation", f"{expression_file.name} is missing")
    return Annotation(
        _read_expression(expression_file),
        _read_va(folder / f"{name}_val.npy"),
        _read_va(folder / f"{name}_aro.npy"),
    )


def _list_names(folder: Path) -> Iterator[str]:
    try:
        with os.scandir(folder) as found:
            yield from (file.name for file in found if not is_apple_double(Path(file)))
    except OSError as error:
        raise InputError(f"data.raw: {folder} can't be listed: {error.strerror}") from None


def _natural_order(id: str) -> tuple[int, str]:
    return (int(id) if id.isdecimal() else -1, id)


def _read_expression(file: Path) -> int:
    value = _read_number(file)
    if value in EXCLUDED_EXPRESSIONS:
        name = EXCLUDED_EXPRESSIONS[int(value)]
        raise UnusableImageError(f"expression_{name}", f"{file.name} is {value:g} ({name})")
    if value not in range(len(EXPRESSIONS)):
        raise UnusableImageError("expression_out_of_range", f"{file.name} is {value:.12g}, not 0 to 7")
    return int(value)


def _read_va(file: Path) -> float:
    if not os.path.lexists(file):
        return np.nan
    value = _read_number(file)
    if abs(value - NOT_ANNOTATED) <= ROUNDING:
        return np.nan
    if abs(value) > 1 + ROUNDING:
        raise UnusableImageError("affect_out_of_range", f"{file.name} is {value:.12g}, not in [-1, 1] or -2")
    return min(max(value, -1.0), 1.0)


def _read_number(file: Path) -> float:
    """Read one number, stored as a number or, as AffectNet does, as a string."""
    try:
        # Opening a named pipe would wait for ever.
        if not file.is_file():
            raise ValueError("not a file")
        if file.stat().st_size > MAX_ANNOTATION_BYTES:
            raise ValueError("too large for one number")
        content = file.read_bytes()
        if not content.startswith(np.lib.format.MAGIC_PREFIX):
            raise ValueError("is no .npy file, as numpy.save writes it")
        array = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
        value = float(array.item())
    # A damaged file makes NumPy raise almost anything, down to tokenize.TokenError and SystemError.
    except Exception as error:
        reason = "holds Python objects, not a number" if "allow_pickle" in str(error) else _one_line(error)
        raise UnusableImageError("annotation_unreadable", f"{file.name}: {reason}") from None
    if np.isnan(value):
        raise UnusableImageError("annotation_unreadable", f"{file.name} is NaN")
    return value


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
