"""Which face of a frame is which of the frames before."""

from collections.abc import Iterable, Sequence

import numpy as np
from scipy.optimize import linear_sum_assignment

MAX_GAP = 1.0
# The least intersection over union of a face's boxes in two frames.
MIN_OVERLAP = 0.2


class Follower:
    """Gives a face the same number from frame to frame, counted from 1 in the order of appearance.

    max_gap: seconds for which a face may be lost and keep its number.
    """

    def __init__(self, max_gap: float = MAX_GAP) -> None:
        self.max_gap = max_gap
        self.last: dict[int, tuple[float, Sequence[float]]] = {}
        self.highest = 0

    def remember(self, time: float, faces: Iterable[tuple[int, Sequence[float]]]) -> None:
        """Take note of the numbers and boxes of the faces of a frame."""
        self.last = {number: seen for number, seen in self.last.items() if time - seen[0] <= self.max_gap}
        for number, box in faces:
            self.last[number] = time, box
            self.highest = max(self.highest, number)

    def number(self, time: float, boxes: Sequence[Sequence[float]]) -> list[int]:
        """Return the number of each box (left, top, width, height) of a frame, whose faces stand from left to right.

        The pairs of a box and a face seen at most `max_gap` seconds before are those that overlap most in sum.
        """
        self.last = {number: seen for number, seen in self.last.items() if time - seen[0] <= self.max_gap}
        known = list(self.last)
        overlaps = np.array([[overlap(self.last[number][1], box) for box in boxes] for number in known])
        overlaps = np.where(overlaps < MIN_OVERLAP, 0, overlaps).reshape(len(known), len(boxes))
        pairs = zip(*linear_sum_assignment(overlaps, maximize=True), strict=True)
        numbers = {int(column): known[row] for row, column in pairs if overlaps[row, column] > 0}
        for column in range(len(boxes)):
            self.highest = max(self.highest, numbers.setdefault(column, self.highest + 1))
        ordered = [numbers[column] for column in range(len(boxes))]
        self.remember(time, zip(ordered, boxes, strict=True))
        return ordered


def longest_gap(step: float) -> float:
    """Return the seconds for which a face may be lost where frames are `step` seconds apart, which may be further."""
    return max(MAX_GAP, 1.5 * step)


def overlap(first: Sequence[float], second: Sequence[float]) -> float:
    """Return the intersection over union of two boxes (left, top, width, height)."""
    width = min(first[0] + first[2], second[0] + second[2]) - max(first[0], second[0])
    height = min(first[1] + first[3], second[1] + second[3]) - max(first[1], second[1])
    both = max(width, 0.0) * max(height, 0.0)
    either = first[2] * first[3] + second[2] * second[3] - both
    return both / either if either > 0 else 0.0
