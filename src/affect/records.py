"""Packed records: one array of images beside one table, row for row."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from affect.errors import InputError

IMAGES_FILE = "images.npy"
INDEX_FILE = "index.csv"


@dataclass(frozen=True)
class Records:
    """Images of (count, size, size, 3) uint8 RGB, mapped from disk, and their index, row for row.

    The index has the columns id, expression (0-7), valence and arousal ([-1, 1], NaN where not annotated).
    """

    images: np.ndarray
    index: pd.DataFrame

    @property
    def size(self) -> int:
        """Pixels a side."""
        return self.images.shape[1]

    def select(self, split: str) -> "Records":
        """Return the records of one split, which lie together."""
        rows = np.flatnonzero(self.index["split"] == split)
        if not len(rows):
            return Records(self.images[:0], self.index[:0])
        part = slice(rows[0], rows[-1] + 1)
        return Records(self.images[part], self.index[part].reset_index(drop=True))


def write_records(folder: Path, images: Iterable[np.ndarray], index: pd.DataFrame, size: int) -> None:
    """Write one (size, size, 3) uint8 image for each row of the index, one at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    shape = (len(index), size, size, 3)
    with (folder / IMAGES_FILE).open("wb") as file:
        np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
        for image in images:
            file.write(np.ascontiguousarray(image, dtype=np.uint8).data)
    index.to_csv(folder / INDEX_FILE, index=False, lineterminator="\n")


def map_images(folder: Path) -> np.ndarray:
    """Map the images of a folder of records from disk."""
    return np.load(folder / IMAGES_FILE, mmap_mode="r", allow_pickle=False)


def read_records(folder: Path) -> Records:
    """Map the images of a folder of records and read its index. Raises InputError where they don't match."""
    try:
        images = map_images(folder)
        index = pd.read_csv(
            folder / INDEX_FILE,
            dtype={"id": str, "group": str},
            na_values={"valence": "", "arousal": ""},
            keep_default_na=False,
        )
    except (OSError, ValueError) as error:
        raise InputError(f"{folder}: not readable as records ({error}); remove it and run dvc repro") from None
    if images.ndim != 4 or images.dtype != np.uint8 or len(images) != len(index):
        raise InputError(f"{folder}: images and index don't match; remove it and run dvc repro")
    return Records(images, index)
