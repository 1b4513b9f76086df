"""FER2013's CSV, in which each row has the pixels of a picture, and FERPlus's votes of ten annotators on the same rows.

Sources: Goodfellow et al., Challenges in Representation Learning (2013); Barsoum et al., Training Deep Networks for
Facial Expression Recognition with Crowd-Sourced Label Distribution (2016), and the code that they published with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np

from affect.core.labels import EXPRESSIONS
from affect.data.images.reading import ImageLimits, UnusableImageError, check_size
from affect.data.layouts.item import Item, Labels
from affect.data.tables import list_tables, read_header, read_table
from affect.plumbing.errors import InputError

COLUMNS = frozenset({"emotion", "pixels", "usage"})
# FER2013's own classes, by number.
CLASSES = ("anger", "disgust", "fear", "happy", "sad", "surprise", "neutral")
USAGES = {"training": "train", "publictest": "val", "privatetest": "test"}
# FERPlus's columns, in their order: the eight expressions, and what shows none.
VOTED = ("neutral", "happy", "surprise", "sad", "anger", "disgust", "fear", "contempt", "unknown", "no_face")
FERPLUS_COLUMNS = (
    *("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF"),
)
PLACES = [VOTED.index(name) for name in EXPRESSIONS]

Votes = Literal["majority", "soft"]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the CSV: where its pixels are in the file, its class, and its votes, (10,), where FERPlus is read."""

    start: int
    length: int
    emotion: str
    votes: tuple[int, ...] | None


@dataclass(frozen=True)
class Fer2013:
    """The layout. file: the CSV's name in raw, needed where several fit.

    votes: which labels are read: None for FER2013's own; "majority" for the expression with over half of FERPlus's
    votes; "soft" for the shares of its votes as well.
    """

    raw: Path
    file: str | None = None
    votes: Votes | None = None
    has_landmarks: ClassVar[bool] = False

    @classmethod
    def fits(cls, raw: Path) -> bool:
        """Whether a CSV in the folder has the columns emotion, pixels and Usage."""
        return bool(_find_tables(raw))

    def list_items(self) -> list[Item]:
        """List the rows; an id is the number of its row, from 0 as FERPlus counts, and its usage is its split.

        Raises InputError for a CSV that is not FER2013's, and for votes that are not there or not of its rows.
        """
        file = self._choose_file()
        votes = self._read_votes()
        items = []
        for number, (row, usage) in enumerate(_read_rows(file, votes)):
            if usage not in USAGES:
                raise InputError(
                    f"data.raw: {file}: Usage of row {number} is {usage[:40]!r}, not Training, PublicTest or "
                    f"PrivateTest"
                )
            items.append(Item(str(number), file.name, row, USAGES[usage]))
        if votes is not None and len(votes) != len(items):
            raise InputError(
                f"data.votes: FERPlus has {len(votes)} rows, but {file} has {len(items)}; they go row by row"
            )
        return items

    def read_labels(self, item: Item) -> Labels:
        """Read the label of a row. Raises UnusableImageError for one that shows no expression, or several."""
        if item.source.votes is None:
            if item.source.emotion not in map(str, range(len(CLASSES))):
                raise UnusableImageError(
                    "expression_out_of_range", f"emotion of row {item.id} is {item.source.emotion!r}, not 0 to 6"
                )
            return Labels(EXPRESSIONS.index(CLASSES[int(item.source.emotion)]))
        votes = np.array(item.source.votes, float)
        # As the authors do: a single vote is taken for a slip.
        votes[votes <= 1] = 0
        winner = VOTED[int(votes.argmax())] if votes.any() else "unknown"
        if winner not in EXPRESSIONS:
            reason = "expression_no_face" if winner == "no_face" else "expression_uncertain"
            raise UnusableImageError(reason, f"FERPlus has row {item.id} as {winner.replace('_', ' ')}")
        if self.votes == "majority":
            if votes.max() <= votes.sum() / 2:
                raise UnusableImageError(
                    "expression_uncertain", f"no expression has most votes of FERPlus in row {item.id}"
                )
            return Labels(EXPRESSIONS.index(winner))
        of_expressions = votes[PLACES]
        shares = of_expressions / of_expressions.sum()
        return Labels(int(shares.argmax()), votes=tuple(float(share) for share in shares.round(6)))

    def read_picture(self, item: Item, limits: ImageLimits) -> np.ndarray:
        """Return the pixels of a row. Raises UnusableImageError where they are no square of numbers in [0, 255]."""
        with (self.raw / item.file).open("rb") as opened:
            opened.seek(item.source.start)
            text = opened.read(item.source.length)
        try:
            pixels = np.array(text.split(), np.int64)
        except (ValueError, OverflowError):
            pixels = np.array([-1])
        side = int(np.sqrt(len(pixels)))
        if side * side != len(pixels) or pixels.min(initial=0) < 0 or pixels.max(initial=0) > 255:
            raise UnusableImageError("image_unreadable", f"pixels of row {item.id} are no square of numbers, 0 to 255")
        check_size(f"row {item.id}", (side, side), limits)
        return pixels.astype(np.uint8).reshape(side, side, 1).repeat(3, axis=2)

    def _choose_file(self) -> Path:
        fitting = _find_tables(self.raw)
        if self.file is not None:
            fitting = [file for file in fitting if file.name == self.file]
        if len(fitting) != 1:
            found = ", ".join(file.name for file in fitting) or "none"
            raise InputError(
                f"data.raw: {self.raw} needs one CSV with the columns emotion, pixels and Usage, but has {found}"
                + (f"; name one with -S data.table={fitting[0].name}" if fitting else "")
            )
        return fitting[0]

    def _read_votes(self) -> list[tuple[int, ...]] | None:
        if self.votes is None:
            return None
        fitting = [file for file in list_tables(self.raw) if set(FERPLUS_COLUMNS) <= set(read_header(file))]
        if len(fitting) != 1:
            raise InputError(
                f"data.votes: {self.raw} needs one CSV with FERPlus's columns, {', '.join(FERPLUS_COLUMNS)}, "
                f"but has {len(fitting)}"
            )
        table = read_table(fitting[0])[list(FERPLUS_COLUMNS)]
        try:
            return list(table.astype(int).itertuples(index=False, name=None))
        except ValueError as error:
            raise InputError(f"{fitting[0]}: a number of votes is none ({error})") from None


def _read_rows(file: Path, votes: list[tuple[int, ...]] | None) -> Iterator[tuple[Row, str]]:
    """Yield each row and its usage in lower case; the pixels are left in the file."""
    names = [name.casefold() for name in read_header(file)]
    pixels, emotion, usage = (names.index(name) for name in ("pixels", "emotion", "usage"))
    with file.open("rb") as opened:
        start = len(opened.readline())
        for number, line in enumerate(opened):
            fields = line.split(b",")
            if len(fields) < len(names):
                raise InputError(f"data.raw: {file}: row {number} has {len(fields)} of {len(names)} columns")
            first = start + sum(len(field) + 1 for field in fields[:pixels])
            quotes = 1 if fields[pixels].startswith(b'"') else 0
            row = Row(
                first + quotes,
                len(fields[pixels].rstrip()) - 2 * quotes,
                _text(fields[emotion]),
                None if votes is None or number >= len(votes) else votes[number],
            )
            start += len(line)
            yield row, _text(fields[usage]).casefold()


def _text(field: bytes) -> str:
    return field.decode(errors="backslashreplace").strip().strip('"')


def _find_tables(raw: Path) -> list[Path]:
    return [file for file in list_tables(raw) if {name.casefold() for name in read_header(file)} >= COLUMNS]
