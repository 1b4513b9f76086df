"""The face in an image, as the square array that the networks take: one way for training and prediction."""

from typing import NamedTuple

import numpy as np

from affect.core.opencv import cv2

# Of 68 landmarks in the order of iBUG 300-W, those of each eye, the one to the left in the image first.
EYES = (slice(36, 42), slice(42, 48))
# Where the middle of each eye comes to lie in an aligned face, as shares of its side from the left and from the top.
EYE_LEFT, EYE_RIGHT, EYE_HEIGHT = 0.3, 0.7, 0.38


class Box(NamedTuple):
    """A rectangle in pixels of an image; it may reach beyond the image."""

    left: float
    top: float
    width: float
    height: float


def letterbox(image: np.ndarray, size: int) -> np.ndarray:
    """Centre an image of any shape on a black square and resize it to (size, size, 3)."""
    height, width = image.shape[:2]
    side = max(height, width)
    # Resized before it is padded: the square around a long strip would not fit into memory.
    inner_height, inner_width = (max(1, round(length * size / side)) for length in (height, width))
    resized = _resize(image, inner_width, inner_height)
    top, left = (size - inner_height) // 2, (size - inner_width) // 2
    bottom, right = size - inner_height - top, size - inner_width - left
    return cv2.copyMakeBorder(resized, top, bottom, left, right, cv2.BORDER_CONSTANT, value=(0, 0, 0))


def crop_square(image: np.ndarray, box: Box, size: int, scale: float = 1.0) -> np.ndarray:
    """Cut out the square about the centre of a box, and resize it to (size, size, 3).

    scale: the square's side, in longer sides of the box. What lies outside the image is black. Raises ValueError where
    the square and the image have no pixel in common.
    """
    side = scale * max(box.width, box.height)
    left, top = box.left + (box.width - side) / 2, box.top + (box.height - side) / 2
    # Whole pixels, so that a box of the whole image is the image itself.
    rows, columns = (
        slice(max(0, round(start)), min(length, round(start + side)))
        for start, length in ((top, image.shape[0]), (left, image.shape[1]))
    )
    if rows.start >= rows.stop or columns.start >= columns.stop:
        raise ValueError("the box lies outside the image")
    y_0, y_1 = _place(rows, top, side, size)
    x_0, x_1 = _place(columns, left, side, size)
    square = np.zeros((size, size, 3), np.uint8)
    square[y_0:y_1, x_0:x_1] = _resize(image[rows, columns], x_1 - x_0, y_1 - y_0)
    return square


def align_eyes(image: np.ndarray, landmarks: np.ndarray, size: int) -> np.ndarray:
    """Turn, scale and shift a face so that its eyes lie level at fixed places of a (size, size, 3) image.

    landmarks: (68, 2) positions (x, y) in pixels, in the order of iBUG 300-W. What lies outside the image is black.
    Raises ValueError where both eyes are at one place.
    """
    first, second = (landmarks[eye].mean(axis=0) for eye in EYES)
    across = second - first
    distance = float(np.hypot(*across))
    if not distance > 0:
        raise ValueError("both eyes are at one place")
    scale = (EYE_RIGHT - EYE_LEFT) * size / distance
    # A warp takes single pixels: where it would skip some, the image is averaged down first.
    shrunk = min(1.0, scale)
    height, width = (max(1, round(length * shrunk)) for length in image.shape[:2])
    small = _resize(image, width, height) if shrunk < 1 else image
    # Pixels are at half places: their middles are what is scaled.
    steps = np.array([width / image.shape[1], height / image.shape[0]])
    middle = ((first + second) / 2 + 0.5) * steps - 0.5
    angle = float(np.degrees(np.arctan2(across[1], across[0])))
    warp = cv2.getRotationMatrix2D(tuple(map(float, middle)), angle, scale / shrunk)
    target = np.array([(EYE_LEFT + EYE_RIGHT) / 2 * size - 0.5, EYE_HEIGHT * size - 0.5])
    warp[:, 2] += target - middle
    return cv2.warpAffine(small, warp, (size, size), flags=cv2.INTER_LINEAR, borderValue=(0, 0, 0))


def _resize(image: np.ndarray, width: int, height: int) -> np.ndarray:
    shrinks = max(image.shape[:2]) > max(width, height)
    return cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def _place(part: slice, start: float, side: float, size: int) -> tuple[int, int]:
    """Return from where to where a part of the image lies in the square, in its pixels."""
    scale = size / max(round(start + side) - round(start), 1)
    first = min(max(round((part.start - round(start)) * scale), 0), size - 1)
    return first, min(max(round((part.stop - round(start)) * scale), first + 1), size)
