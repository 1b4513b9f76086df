"""The mean of several faces, and of their maps: turned, scaled and shifted so that eyes lie on eyes."""

from collections.abc import Sequence

import numpy as np

from affect.core.opencv import cv2

# Of fewer faces a mean could be recognised, and a page with it lies in git.
MIN_FACES = 10


def average(arrays: Sequence[np.ndarray], landmarks: Sequence[np.ndarray], target: np.ndarray) -> np.ndarray:
    """Return the mean of (size, size, ...) arrays, float32, each brought to where its landmarks best fit the target's.

    landmarks: (68, 2) positions (x, y) in pixels of each. target: of the mean face, such as the mean of all.
    """
    size = len(arrays[0])
    aligned = [
        cv2.warpAffine(array.astype(np.float32), _fit(points, target), (size, size), borderMode=cv2.BORDER_REPLICATE)
        for array, points in zip(arrays, landmarks, strict=True)
    ]
    return np.mean(aligned, axis=0)


def _fit(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the (2, 3) turn, scale and shift that bring points nearest to others.

    Source: Umeyama, Least-squares estimation of transformation parameters between two point patterns (1991).
    """
    centre, goal = source.mean(axis=0), target.mean(axis=0)
    one, other = source - centre, target - goal
    spread = max(float((one**2).sum()), 1e-9)
    along, across = (one * other).sum() / spread, (one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]).sum() / spread
    turn = np.array([[along, -across], [across, along]])
    return np.column_stack([turn, goal - turn @ centre])
