"""Tables in Markdown whose columns also stand below each other on a terminal."""

from collections.abc import Iterator, Sequence
from typing import TypeVar

from rich.cells import cell_len

Item = TypeVar("Item")


def format_table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of texts as Markdown, each column as wide as its widest cell. rows: each as long as headings."""
    widths = [max(map(cell_len, column)) for column in zip(headings, *rows, strict=True)]
    lines = [_line(headings, widths), "|" + "|".join("-" * (width + 2) for width in widths) + "|"]
    return "\n".join([*lines, *(_line(row, widths) for row in rows)])


def in_blocks(items: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """Yield the items in blocks of at most `size`, since more columns would be wider than a terminal."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def format_estimate(value: float | None, interval: Sequence[float] | None, digits: int = 3) -> str:
    """Return a number and its interval, such as 0.945 [0.910, 0.975]; where there is none, the number or `undefined`.

    A number that is rounded to 0 has no sign.
    """
    if value is None:
        return "undefined"
    bounds = "" if interval is None else f" [{interval[0]:z.{digits}f}, {interval[1]:z.{digits}f}]"
    return f"{value:z.{digits}f}{bounds}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell + " " * (width - cell_len(cell)) for cell, width in zip(cells, widths, strict=True)]
    return f"| {' | '.join(padded)} |"
