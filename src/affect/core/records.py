"""Packed records: one array of images beside one table, row for row, and a card that says what they are."""

import hashlib
from dataclasses import dataclass
from io import FileIO
from pathlib import Path

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict

from affect.core.array_file import ArrayFile
from affect.core.files import write_json, write_table
from affect.core.labels import VALENCE_AROUSAL, VOTES
from affect.plumbing.errors import InputError

IMAGES_FILE = "images.npy"
INDEX_FILE = "index.csv"
CARD_FILE = "dataset.json"
FILES = (IMAGES_FILE, INDEX_FILE, CARD_FILE)
# How the names of an index's columns begin that hold what else is known of the images.
ATTRIBUTE = "attribute."
# Columns of texts, numbers though some may look like.
TEXTS = ("id", "group", "person")
# How far the shares of eight expressions, rounded to six digits, may add up to something other than 1.
SHARES_ROUNDING = 1e-5


@dataclass(frozen=True)
class Records:
    """Images of (count, size, size, 3) uint8 RGB on disk and their index, row for row.

    The index has the columns id, expression (0-7), valence and arousal ([-1, 1], NaN where not annotated); those of
    VOTES where the dataset has votes, and in those of ATTRIBUTE what else is known.
    """

    images: ArrayFile
    index: pd.DataFrame

    @property
    def size(self) -> int:
        """Pixels a side."""
        return self.images.shape[1]

    def select(self, split: str) -> "Records":
        """Return the records of one split, which lie together."""
        rows = np.flatnonzero(self.index["split"] == split)
        first, last = (rows[0], rows[-1] + 1) if len(rows) else (0, 0)
        return Records(self.images.slice(first, last), self.index[first:last].reset_index(drop=True))

    @property
    def held_out(self) -> "Records":
        """Those that the networks are judged by: the test split where there is one, else the val split."""
        return self.select(self.held_out_split)

    @property
    def held_out_split(self) -> str:
        """The name of the split that the networks are judged by."""
        return "test" if (self.index["split"] == "test").any() else "val"


class Card(BaseModel):
    """What records are: their dataset as data.raw names it, how it was read, and a hash of all that they hold.

    made_of: the hash of the records that they were made of; None where they were made of the dataset itself.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    dataset: str
    layout: str
    align: str
    images: int
    hash: str
    made_of: str | None


def create_images(file: Path, count: int, size: int) -> ArrayFile:
    """Create an .npy file of (count, size, size, 3) uint8 images, black until they are written."""
    return _lay_out(file.open("w+b", buffering=0), (count, size, size, 3))


def truncate_images(images: ArrayFile, count: int) -> None:
    """Truncate a file of images to its first `count`. Invalidates `images`."""
    _lay_out(images.file, (count, *images.shape[1:]))


def _lay_out(file: FileIO, shape: tuple[int, ...]) -> ArrayFile:
    """Give a file the header of NumPy and the length of an array of uint8."""
    file.seek(0)
    # NumPy pads its header, so that it is as long for any count of images.
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
    images = ArrayFile(file, shape, np.uint8, file.tell())
    file.truncate(images.offset + len(images) * images.row_bytes)
    return images


def write_index(folder: Path, index: pd.DataFrame) -> None:
    """Write the table beside the images of a folder of records."""
    write_table(folder / INDEX_FILE, index)


def write_card(folder: Path, dataset: str, layout: str, align: str, images: int, made_of: str | None = None) -> Card:
    """Write the card beside finished images and their index. It reads them once, so that nothing later needs to."""
    total = hashlib.blake2b(digest_size=16)
    for name in (IMAGES_FILE, INDEX_FILE):
        with (folder / name).open("rb") as file:
            total.update(hashlib.file_digest(file, "blake2b").digest())
    card = Card(dataset=dataset, layout=layout, align=align, images=images, hash=total.hexdigest(), made_of=made_of)
    write_json(folder / CARD_FILE, card.model_dump())
    return card


def read_card(folder: Path) -> Card:
    """Read the card of records, without a look at them. Raises InputError where there is none, or it is damaged."""
    file = folder / CARD_FILE
    try:
        return Card.model_validate_json(file.read_bytes())
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror}); run dvc repro, which makes it") from None
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{file}: not readable as a card of records ({reason}); remove it and run dvc repro") from None


def read_records(folder: Path) -> Records:
    """Open the images of a folder of records and read its index.

    Raises InputError where they are damaged, don't match, or hold what no stage would have written.
    """
    try:
        images = _open_images(folder / IMAGES_FILE)
        columns = pd.read_csv(folder / INDEX_FILE, nrows=0).columns
        index = pd.read_csv(
            folder / INDEX_FILE,
            dtype={name: str for name in columns if name in TEXTS or name.startswith(ATTRIBUTE)},
            na_values={"valence": "", "arousal": ""},
            keep_default_na=False,
        )
        _check_index(index, len(images))
    # A damaged file makes NumPy raise almost anything, down to tokenize.TokenError and SystemError.
    except Exception as error:
        reason = " ".join(str(error).split())
        raise InputError(f"{folder}: not readable as records ({reason}); remove it and run dvc repro") from None
    return Records(images, index)


def _open_images(file: Path) -> ArrayFile:
    opened = file.open("rb", buffering=0)
    version = np.lib.format.read_magic(opened)
    shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(opened)
    square = len(shape) == 4 and min(shape) >= 0 and shape[1:] == (shape[1], shape[1], 3)
    if version != (1, 0) or fortran_order or dtype != np.uint8 or not square:
        raise ValueError(f"{file.name} holds no square RGB images")
    images = ArrayFile(opened, shape, dtype, opened.tell())
    if file.stat().st_size != images.offset + len(images) * images.row_bytes:
        raise ValueError(f"{file.name} is not as long as it says")
    return images


def _check_index(index: pd.DataFrame, images: int) -> None:
    if len(index) != images:
        raise ValueError(f"{INDEX_FILE} has {len(index)} rows for {images} images")
    if missing := {"id", "expression", "valence", "arousal"} - set(index.columns):
        raise ValueError(f"{INDEX_FILE} lacks {', '.join(sorted(missing))}")
    if index["expression"].dtype.kind != "i" or not index["expression"].between(0, 7).all():
        raise ValueError(f"{INDEX_FILE} has an expression other than 0 to 7")
    if VOTES[0] in index:
        shares = index[VOTES].to_numpy(float)
        if not (shares >= 0).all() or not (np.abs(shares.sum(axis=1) - 1) < SHARES_ROUNDING).all():
            raise ValueError(f"{INDEX_FILE} has votes that are no shares of a whole")
    for task in VALENCE_AROUSAL:
        if index[task].dtype.kind not in "fi" or not (index[task].isna() | index[task].between(-1, 1)).all():
            raise ValueError(f"{INDEX_FILE} has {task} outside [-1, 1]")
