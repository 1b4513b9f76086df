"""AffectNet's release of 2017: lists of pictures with the box of the face, landmarks and labels.

The lists, training.csv and validation.csv or automatically_annotated.csv, lie in the folder or one below it, and so do
the pictures that they name. Source: Mollahosseini et al., AffectNet (2017).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import ClassVar

import numpy as np
import pandas as pd

from affect.data.images.files import name_files, natural_order
from affect.data.images.reading import ImageLimits, UnusableImageError, read_image
from affect.data.layouts.item import N_LANDMARKS, Item, Labels, check_expression, check_name, check_va, find_picture
from affect.data.layouts.table import read_box, read_number
from affect.data.tables import read_header, read_table, show
from affect.plumbing.errors import InputError

LISTS = {"training.csv": "train", "validation.csv": "val", "automatically_annotated.csv": None}
PATH = "subDirectory_filePath"
BOX = ("face_x", "face_y", "face_width", "face_height")
LANDMARKS = "facial_landmarks"
LABELS = ("expression", "valence", "arousal")
# validation.csv is also passed round without a header.
COLUMNS = (PATH, *BOX, LANDMARKS, *LABELS)
# A list may name pictures that are not there, though hardly all of these.
TRIED = 100


@dataclass(frozen=True)
class AffectNetCsv:
    """The layout. file: the name of the one list to be read, or None for training.csv and validation.csv."""

    raw: Path
    file: str | None = None
    align: bool = False
    reads: ClassVar[frozenset[str]] = frozenset({"table", "align"})

    @classmethod
    def fits(cls, raw: Path) -> bool:
        """Whether one of the lists is there, with its columns."""
        return any(_has_columns(file) for file in _find_lists(raw))

    def list_items(self) -> list[Item]:
        """List the rows of the lists, in the order of their ids; those of training.csv and validation.csv have a split.

        Raises InputError where there is no list, one lacks a column, or none of its pictures is there.
        """
        rows = [row for file in self._choose_lists() for row in self._read(file)]
        files = [file for file, _, _ in rows]
        repeated = Counter(files)
        items = [
            Item(id, file, (*labels, repeated[file] > 1), split)
            for id, (file, labels, split) in zip(name_files(files), rows, strict=True)
        ]
        return sorted(items, key=lambda item: natural_order(item.id))

    def read_labels(self, item: Item) -> Labels:
        """Read the labels of a row.

        Raises UnusableImageError for an unreadable or out-of-range label, AffectNet's labels 8-10, a face without a
        box, and a picture in several rows.
        """
        check_name(item.id)
        *box, expression, valence, arousal, repeated = item.source
        landmarks = box.pop() if self.align else ""
        if repeated:
            raise UnusableImageError("duplicate_id", f"{item.file} is in several rows")
        number = check_expression(read_number(expression, f"expression of {item.id}"), f"expression of {item.id}")
        return Labels(
            number,
            check_va(read_number(valence, f"valence of {item.id}"), f"valence of {item.id}"),
            check_va(read_number(arousal, f"arousal of {item.id}"), f"arousal of {item.id}"),
            box=read_box(" ".join(box), item.id),
            landmarks=_read_landmarks(landmarks, item.id) if self.align else None,
        )

    def read_picture(self, item: Item, limits: ImageLimits) -> np.ndarray:
        """Read the whole picture. Raises UnusableImageError where it is missing, unusable, or outside the dataset."""
        return read_image(find_picture(self.raw, item.file), limits)

    def _choose_lists(self) -> list[Path]:
        found = _find_lists(self.raw)
        if self.file is not None:
            if not (found := [file for file in found if file.name == self.file]):
                raise InputError(f"data.table: {self.raw} has no {self.file}, in it or one folder below")
        elif manual := [file for file in found if LISTS[file.name] is not None]:
            found = manual
        if not found:
            raise InputError(
                f"data.raw: {self.raw} has none of {', '.join(LISTS)}, in it or one folder below; "
                f"`python src/look.py {self.raw}` says which data.layout fits"
            )
        return found

    def _read(self, file: Path) -> Iterator[tuple[str, tuple[str, ...], str | None]]:
        """Yield the picture's path, labels and split of each row."""
        if not _has_columns(file):
            raise InputError(
                f"data.raw: {file} has the columns {show(read_header(file))}, but needs {', '.join(COLUMNS)}"
            )
        # The landmarks are most of a list.
        wanted = [name for name in COLUMNS if self.align or name != LANDMARKS]
        table = read_table(file, None if PATH in read_header(file) else COLUMNS, wanted)
        folder = self._find_pictures(file, table[PATH])
        split = LISTS[file.name]
        for path, *labels in table[wanted].itertuples(index=False, name=None):
            yield f"{folder}/{path}" if folder else path, tuple(labels), split

    def _find_pictures(self, file: Path, listed: "pd.Series") -> str:
        """Return the folder, within the dataset, from which a list names its pictures."""
        below = sorted(path.name for path in self.raw.iterdir() if path.is_dir())
        for folder in ("", *below):
            if any(_exists(self.raw / folder, path) for path in islice(listed, TRIED)):
                return folder
        raise InputError(
            f"data.raw: {self.raw} has no picture of {file}, such as {listed.iloc[0]!r}, in it or one folder below"
        )


def _find_lists(raw: Path) -> list[Path]:
    return [file for name in LISTS for file in sorted([*raw.glob(name), *raw.glob(f"*/{name}")])]


def _has_columns(file: Path) -> bool:
    header = read_header(file)
    return set(COLUMNS) <= set(header) or (len(header) == len(COLUMNS) and all(map(_is_number, header[1:5])))


def _is_number(text: str) -> bool:
    return text.strip().lstrip("-").replace(".", "", 1).isdecimal()


def _exists(folder: Path, file: str) -> bool:
    try:
        return find_picture(folder, file).is_file()
    except UnusableImageError:
        return False


def _read_landmarks(text: str, id: str) -> np.ndarray:
    numbers = [read_number(part, f"landmarks of {id}") for part in text.strip("; ").split(";")]
    if len(numbers) != 2 * N_LANDMARKS:
        raise UnusableImageError("no_landmarks", f"{id} has {len(numbers)} numbers of landmarks, not {2 * N_LANDMARKS}")
    return np.array(numbers).reshape(N_LANDMARKS, 2)
