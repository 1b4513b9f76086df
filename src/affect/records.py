"""Packed records: one array of images beside one table, row for row."""

from dataclasses import dataclass
from io import FileIO
from pathlib import Path

import numpy as np
import pandas as pd

from affect.errors import InputError
from affect.rows import Rows

IMAGES_FILE = "images.npy"
INDEX_FILE = "index.csv"


@dataclass(frozen=True)
class Records:
    """Images of (count, size, size, 3) uint8 RGB on disk and their index, row for row.

    The index has the columns id, expression (0-7), valence and arousal ([-1, 1], NaN where not annotated).
    """

    images: Rows
    index: pd.DataFrame

    @property
    def size(self) -> int:
        """Pixels a side."""
        return self.images.shape[1]

    def select(self, split: str) -> "Records":
        """Return the records of one split, which lie together."""
        rows = np.flatnonzero(self.index["split"] == split)
        first, last = (rows[0], rows[-1] + 1) if len(rows) else (0, 0)
        return Records(self.images.part(first, last), self.index[first:last].reset_index(drop=True))


def create_images(file: Path, count: int, size: int) -> Rows:
    """Make an .npy file of (count, size, size, 3) uint8 images, black until they are written."""
    return _lay_out(file.open("w+b", buffering=0), (count, size, size, 3))


def cut_images(images: Rows, count: int) -> None:
    """Shorten a whole file of images to its first `count`; `images` itself is not to be used any more."""
    _lay_out(images.file, (count, *images.shape[1:]))


def _lay_out(file: FileIO, shape: tuple[int, ...]) -> Rows:
    """Give a file the header of NumPy and the length of an array of uint8."""
    file.seek(0)
    # NumPy pads its header, so that it is as long for any count of images.
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
    images = Rows(file, shape, np.uint8, file.tell())
    file.truncate(images.offset + len(images) * images.row_bytes)
    return images


def write_index(folder: Path, index: pd.DataFrame) -> None:
    """Write the table beside the images of a folder of records."""
    index.to_csv(folder / INDEX_FILE, index=False, lineterminator="\n")


def read_records(folder: Path) -> Records:
    """Open the images of a folder of records and read its index. Raises InputError where they don't match."""
    try:
        images = _open_images(folder / IMAGES_FILE)
        index = pd.read_csv(
            folder / INDEX_FILE,
            dtype={"id": str, "group": str},
            na_values={"valence": "", "arousal": ""},
            keep_default_na=False,
        )
    except (OSError, ValueError) as error:
        raise InputError(f"{folder}: not readable as records ({error}); remove it and run dvc repro") from None
    if len(images.shape) != 4 or images.dtype != np.uint8 or len(images) != len(index):
        raise InputError(f"{folder}: images and index don't match; remove it and run dvc repro")
    return Records(images, index)


def _open_images(file: Path) -> Rows:
    opened = file.open("rb", buffering=0)
    np.lib.format.read_magic(opened)
    shape, _, dtype = np.lib.format.read_array_header_1_0(opened)
    images = Rows(opened, shape, dtype, opened.tell())
    if file.stat().st_size != images.offset + len(images) * images.row_bytes:
        raise ValueError(f"{file.name} is not as long as it says")
    return images
