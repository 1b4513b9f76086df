"""The values of each face, averaged over time."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from affect.core.labels import EXPRESSIONS, VALENCE_AROUSAL
from affect.core.predictions import DECIMALS, PROBABILITIES
from affect.inference.tables import Row

_AVERAGED = [*PROBABILITIES, *(f"predicted_{task}" for task in VALENCE_AROUSAL)]
_MEANS = [f"smoothed_{name}" for name in (*PROBABILITIES, *VALENCE_AROUSAL)]
SMOOTHED = ["smoothed_expression", *_MEANS]


@dataclass(frozen=True)
class _Frame:
    """Its time in seconds, its rows, and the values of each face by its number."""

    time: float
    rows: Sequence[Row]
    values: dict[int, np.ndarray]


def smooth(
    frames: Iterable[Sequence[Row]], seconds: float, before: Iterable[Sequence[Row]] = ()
) -> Iterator[list[Row]]:
    """Yield each frame's rows with the columns of SMOOTHED: the mean of the same face's values in a window about it.

    seconds: the window's length; half of it lies before the frame, half after. before: the frames that came before
    these, which are averaged over and not yielded.
    """
    half = seconds / 2
    past, waiting = deque(map(_read, before)), deque[_Frame]()
    for rows in frames:
        newest = _read(rows)
        while waiting and _is_beyond(newest.time - waiting[0].time, half):
            yield _take_first(past, waiting, half)
        waiting.append(newest)
    while waiting:
        yield _take_first(past, waiting, half)


def _read(rows: Sequence[Row]) -> _Frame:
    values = {row["face"]: np.array([row.get(name) for name in _AVERAGED], float) for row in rows if row["face"]}
    return _Frame(rows[0]["time"], rows, values)


def _is_beyond(seconds: float, half: float) -> bool:
    # Times have six decimals.
    return round(seconds, DECIMALS) > half


def _take_first(past: deque[_Frame], waiting: deque[_Frame], half: float) -> list[Row]:
    """Move the frame that has waited longest to the past, and return its rows with means over all of both."""
    frame = waiting[0]
    while past and _is_beyond(frame.time - past[0].time, half):
        past.popleft()
    smoothed = [_average(row, [*past, *waiting]) for row in frame.rows]
    past.append(waiting.popleft())
    return smoothed


def _average(row: Row, frames: Sequence[_Frame]) -> Row:
    face = row["face"]
    if not face:
        return row
    means = np.mean([frame.values[face] for frame in frames if face in frame.values], axis=0).round(DECIMALS)
    name = EXPRESSIONS[int(means[: len(EXPRESSIONS)].argmax())]
    return row | {"smoothed_expression": name} | dict(zip(_MEANS, means.tolist(), strict=True))
