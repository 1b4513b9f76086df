"""FER2013's CSV, in which each row has the pixels of a picture, and FERPlus's votes of ten annotators on the same rows.

Sources: Goodfellow et al., Challenges in Representation Learning (2013); Barsoum et al., Training Deep Networks for
Facial Expression Recognition with Crowd-Sourced Label Distribution (2016), and the code that they published with it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
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
FERPLUS = "neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF"
PLACES = [VOTED.index(name) for name in EXPRESSIONS]

# Of FERPlus's soft labels; with more the authors leave a picture out.
MAX_SHOWN = 3
# The longest way to write one: three digits and a space.
BYTES_A_PIXEL = 4
# What may stand about a value.
AROUND = b' \t\r\n"'

Votes = Literal["majority", "soft"]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the CSV: where its pixels are in the file, its class, and its votes, (10,), where FERPlus is read."""

    start: int
    length: int
    emotion: str
    votes: tuple[int, ...] | None = None


@dataclass(frozen=True)
class Fer2013:
    """The layout. file: the CSV's name in raw, needed where several fit.

    votes: which labels are read: None for FER2013's own; "majority" for the expression with over half of FERPlus's
    votes; "soft" for the shares of the expressions with most of its votes as well.
    """

    raw: Path
    file: str | None = None
    votes: Votes | None = None
    reads: ClassVar[frozenset[str]] = frozenset({"table", "votes"})

    @classmethod
    def fits(cls, raw: Path) -> bool:
        """Whether a CSV in the folder has the columns emotion, pixels and Usage."""
        return bool(_find_tables(raw))

    def list_items(self) -> list[Item]:
        """List the rows; an id is the number of its row, from 0 as FERPlus counts, and its usage is its split.

        Raises InputError for a CSV that is not FER2013's, and for votes that are not there or not of its rows.
        """
        file = self._choose_file()
        items = []
        for number, (row, usage) in enumerate(_read_rows(file)):
            if usage.casefold() not in USAGES:
                raise InputError(
                    f"data.raw: {file}: Usage of row {number} is {usage[:40]!r}, not Training, PublicTest or "
                    f"PrivateTest"
                )
            items.append(Item(str(number), file.name, row, USAGES[usage.casefold()]))
        if not items:
            raise InputError(f"data.raw: {file}: has no rows")
        return items if self.votes is None else self._join_votes(file, items)

    def read_labels(self, item: Item) -> Labels:
        """Read the label of a row. Raises UnusableImageError for one that shows no expression, or several."""
        if item.source.votes is None:
            if item.source.emotion not in map(str, range(len(CLASSES))):
                raise UnusableImageError(
                    "expression_out_of_range", f"emotion of row {item.id} is {item.source.emotion!r}, not 0 to 6"
                )
            return Labels(EXPRESSIONS.index(CLASSES[int(item.source.emotion)]))
        votes = np.array(item.source.votes)
        # As the authors do: a single vote is taken for a slip.
        votes[votes <= 1] = 0
        kept = _most_voted(votes) if self.votes == "soft" else np.where(2 * votes > votes.sum(), votes, 0)
        winner = VOTED[int(kept.argmax())] if kept.any() else "unknown"
        if winner not in EXPRESSIONS:
            reason = "expression_no_face" if winner == "no_face" else "expression_uncertain"
            raise UnusableImageError(reason, f"FERPlus's votes on row {item.id} are for {winner.replace('_', ' ')}")
        if self.votes == "majority":
            return Labels(EXPRESSIONS.index(winner))
        shares = kept[PLACES] / kept[PLACES].sum()
        return Labels(EXPRESSIONS.index(winner), votes=tuple(float(share) for share in shares.round(6)))

    def read_picture(self, item: Item, limits: ImageLimits) -> np.ndarray:
        """Return the pixels of a row. Raises UnusableImageError where they are no square of numbers in [0, 255]."""
        if item.source.length > BYTES_A_PIXEL * limits.max_pixels:
            raise UnusableImageError("image_too_large", f"row {item.id} has over {limits.max_pixels} pixels")
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
        tables = _find_tables(self.raw)
        fitting = [file for file in tables if self.file in {None, file.name}]
        if len(fitting) != 1:
            found = ", ".join(file.name for file in tables) or "none"
            raise InputError(
                f"data.raw: {self.raw} needs one CSV with the columns emotion, pixels and Usage, but has {found}"
                + (f"; name one with -S data.table={tables[0].name}" if tables else "")
            )
        return fitting[0]

    def _join_votes(self, file: Path, items: list[Item]) -> list[Item]:
        """Give each item the votes of its row. Raises InputError where FERPlus is not there or not of these rows."""
        fitting = [table for table in list_tables(self.raw) if set(FERPLUS) <= set(read_header(table))]
        if len(fitting) != 1:
            columns = ", ".join(FERPLUS)
            raise InputError(f"data.votes: {self.raw} needs one CSV with FERPlus's {columns}, but has {len(fitting)}")
        table = read_table(fitting[0])
        if len(table) != len(items):
            raise InputError(f"data.votes: {fitting[0]} has {len(table)} rows, but {file} has {len(items)}")
        if "Usage" in table:
            for item, usage in zip(items, table["Usage"].str.casefold(), strict=True):
                if USAGES.get(usage) != item.split:
                    raise InputError(f"data.votes: {fitting[0]} and {file} differ in the Usage of row {item.id}")
        try:
            votes = table[list(FERPLUS)].astype(int).itertuples(index=False, name=None)
        except (ValueError, OverflowError) as error:
            raise InputError(f"{fitting[0]}: a number of votes is none ({error})") from None
        return [replace(item, source=replace(item.source, votes=row)) for item, row in zip(items, votes, strict=True)]


def _most_voted(votes: np.ndarray) -> np.ndarray:
    """Keep what has most votes, up to three quarters of them all, as the authors' code does for soft labels.

    votes: (10,), in the order of VOTED. What is no expression ends it, and is kept only where it comes first. Nothing
    is kept where that is half of all votes at most, or more than three expressions.
    """
    kept = np.zeros_like(votes)
    for number in sorted(set(votes[votes > 0]), reverse=True):
        equal = np.flatnonzero(votes == number)
        expressions = equal[equal < len(EXPRESSIONS)]
        kept[expressions] = number
        if len(expressions) < len(equal):
            if not kept.any():
                kept[equal[0]] = number
            break
        if 4 * kept.sum() >= 3 * votes.sum() or np.count_nonzero(kept) >= MAX_SHOWN:
            break
    complete = 2 * kept.sum() > votes.sum() and np.count_nonzero(kept) <= MAX_SHOWN
    return kept if complete else np.zeros_like(votes)


def _read_rows(file: Path) -> Iterator[tuple[Row, str]]:
    """Yield each row and its usage; the pixels are left in the file."""
    names = [name.casefold() for name in read_header(file)]
    pixels, emotion, usage = (names.index(name) for name in ("pixels", "emotion", "usage"))
    with file.open("rb") as opened:
        start = len(opened.readline())
        number = -1
        for line in opened:
            if line.strip():
                number += 1
                fields = line.split(b",")
                if len(fields) != len(names):
                    raise InputError(f"data.raw: {file}: row {number} has {len(fields)} of {len(names)} columns")
                before = start + sum(len(field) + 1 for field in fields[:pixels])
                inner = fields[pixels].strip(AROUND)
                row = Row(before + fields[pixels].find(inner[:1] or b""), len(inner), _text(fields[emotion]))
                yield row, _text(fields[usage])
            start += len(line)


def _text(field: bytes) -> str:
    return field.strip(AROUND).decode(errors="backslashreplace")


def _find_tables(raw: Path) -> list[Path]:
    return [file for file in list_tables(raw) if {name.casefold() for name in read_header(file)} >= COLUMNS]
