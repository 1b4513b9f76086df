"""The face in an image, as the square array that the networks take: one way for training and prediction."""

import math
from typing import NamedTuple

import numpy as np

from affect.core.opencv import cv2

# Of 68 landmarks in the order of iBUG 300-W, those of each eye, the one to the left in the image first.
EYES = (slice(36, 42), slice(42, 48))
# Where the middle of each eye comes to lie in an aligned face, as shares of its side from the left and from the top.
EYE_LEFT, EYE_RIGHT, EYE_HEIGHT = 0.3, 0.7, 0.38
# No image has as many pixels a side; beyond, a floating point number has no fractions of a pixel.
MAX_COORDINATE = 1e9


class Box(NamedTuple):
    """A rectangle in pixels of an image; it may reach beyond the image."""

    left: float
    top: float
    width: float
    height: float


def resize(image: np.ndarray, width: int, height: int) -> np.ndarray:
    """Resize an image: smaller by averaging areas, larger by interpolation."""
    shrinks = max(image.shape[:2]) > max(width, height)
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def letterbox(image: np.ndarray, size: int) -> np.ndarray:
    """Centre an image of any shape on a black square and resize it to (size, size, 3)."""
    height, width = image.shape[:2]
    side = max(height, width)
    # Resized before it is padded: the square around a long strip would not fit into memory.
    inner_height, inner_width = (max(1, round(length * size / side)) for length in (height, width))
    resized = resize(image, inner_width, inner_height)
    top, left = (size - inner_height) // 2, (size - inner_width) // 2
    bottom, right = size - inner_height - top, size - inner_width - left
    return cv2.copyMakeBorder(resized, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(0, 0, 0))


def crop_square(image: np.ndarray, box: Box, size: int, scale: float = 1.0) -> np.ndarray:
    """Cut out the square about the centre of a box, and resize it to (size, size, 3).

    scale: the square's side, in longer sides of the box. The square is of whole pixels, at least one, and at most half
    a pixel from where the box says. What lies outside the image is black; the box of the whole image gives its
    letterbox. Raises ValueError where the square and the image have no pixel in common.
    """
    if not np.isfinite((*box, scale)).all() or max(map(abs, box)) * max(scale, 1) > MAX_COORDINATE:
        raise ValueError("the box lies outside the image")
    side = max(1, _round(scale * max(box.width, box.height)))
    rows, inner_rows = _cut(box.top + (box.height - side) / 2, side, image.shape[0], size)
    columns, inner_columns = _cut(box.left + (box.width - side) / 2, side, image.shape[1], size)
    square = np.zeros((size, size, 3), np.uint8)
    square[inner_rows, inner_columns] = resize(
        image[rows, columns], inner_columns.stop - inner_columns.start, inner_rows.stop - inner_rows.start
    )
    return square


def align_eyes(image: np.ndarray, landmarks: np.ndarray, size: int) -> np.ndarray:
    """Turn, scale and shift a face so that its eyes lie level at fixed places of a (size, size, 3) image.

    landmarks: (68, 2) positions (x, y) in pixels, in the order of iBUG 300-W; whole numbers are the middles of pixels.
    What lies outside the image is black. Raises ValueError where both eyes are at one place, and where the aligned face
    and the image have no pixel in common.
    """
    warp = _find_warp(landmarks, size)
    scale = float(np.hypot(*warp[:, 0]))
    left, top, part = _cut_seen(image, warp, size)
    # A warp takes single pixels: where it would skip some, the image is averaged down first.
    height, width = (max(1, round(length * min(1.0, scale))) for length in part.shape[:2])
    small = resize(part, width, height)
    # Pixels are squares about whole numbers, and it is their edges that a resize scales.
    steps = np.array([part.shape[1] / width, part.shape[0] / height])
    warp[:, 2] += warp[:, :2] @ ((steps - 1) / 2 + [left, top])
    warp[:, :2] *= steps
    return cv2.warpAffine(small, warp, (size, size), flags=cv2.INTER_LINEAR, borderValue=(0, 0, 0))


def map_to_square(points: np.ndarray, box: Box, size: int, scale: float = 1.0) -> np.ndarray:
    """Return where (count, 2) points (x, y) of an image lie in what `crop_square` makes of it, to a pixel."""
    side = max(1, _round(scale * max(box.width, box.height)))
    corner = np.array([box.left + (box.width - side) / 2, box.top + (box.height - side) / 2])
    return (points - corner + 0.5) * (size / side) - 0.5


def map_to_aligned(points: np.ndarray, landmarks: np.ndarray, size: int) -> np.ndarray:
    """Return where (count, 2) points (x, y) of an image lie in what `align_eyes` makes of it. Raises ValueError as it
    does where both eyes are at one place."""
    warp = _find_warp(landmarks, size)
    return points @ warp[:, :2].T + warp[:, 2]


def _find_warp(landmarks: np.ndarray, size: int) -> np.ndarray:
    """Return the (2, 3) matrix from pixels of an image to those of the aligned face."""
    first, second = (landmarks[eye].mean(axis=0) for eye in EYES)
    across = second - first
    distance = float(np.hypot(*across))
    if not 0 < distance <= MAX_COORDINATE or np.abs(first).max() > MAX_COORDINATE:
        raise ValueError("the eyes are at one place, or outside the image")
    scale = (EYE_RIGHT - EYE_LEFT) * size / distance
    # Both eyes where they should be.
    turn = np.array([[across[0], across[1]], [-across[1], across[0]]]) * (scale / distance)
    target = np.array([(EYE_LEFT + EYE_RIGHT) / 2, EYE_HEIGHT]) * size - 0.5
    return np.column_stack([turn, target - turn @ (first + second) / 2])


def _cut_seen(image: np.ndarray, warp: np.ndarray, size: int) -> tuple[int, int, np.ndarray]:
    """Return the part of an image, after its left and top, that a warp brings into a (size, size) one."""
    back = np.linalg.inv(warp[:, :2])
    corners = np.array([[x, y] for x in (-1, size) for y in (-1, size)])
    seen = (corners - warp[:, 2]) @ back.T
    # A pixel more on each side, which is mixed in where it is averaged.
    low = np.maximum(np.floor(seen.min(axis=0)).astype(int) - 1, 0)
    high = np.minimum(np.ceil(seen.max(axis=0)).astype(int) + 2, image.shape[1::-1])
    if (low >= high).any():
        raise ValueError("the face lies outside the image")
    return low[0], low[1], image[low[1] : high[1], low[0] : high[0]]


def _cut(start: float, side: int, length: int, size: int) -> tuple[slice, slice]:
    """Return, along one axis, the pixels of an image in a square, and where they lie once the square has `size`."""
    if start > 0 or start + side < length:
        # An edge inside the image is between two pixels.
        start = _round(start)
    first, last = max(0, int(start)), min(length, int(start + side))
    if first >= last:
        raise ValueError("the box lies outside the image")
    inner = max(1, round((last - first) * size / side))
    # About the middle of what is seen, and inside.
    place = int(((first + last - 2 * start) * size - inner * side) // (2 * side))
    place = min(max(place, 0), size - inner)
    return slice(first, last), slice(place, place + inner)


def _round(value: float) -> int:
    """Round halves up: Python rounds them to even numbers, so that a square of five pixels would have four or six."""
    return math.floor(value + 0.5)
