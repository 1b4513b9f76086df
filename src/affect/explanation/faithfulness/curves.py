"""Deletion and insertion: how the outputs change as the places that a map marks are hidden, or alone are seen.

Source: Petsiuk, Das & Saenko, RISE: randomized input sampling for explanation of black-box models (2018).
"""

from collections.abc import Callable, Iterator

import numpy as np

from affect.core.opencv import cv2
from affect.explanation.explainer import Explanation
from affect.explanation.gradients import Outputs

# Of hidden pixels: the middle of 0-255.
GREY = 128
# Standard deviation of the blur of which insertion starts, in sides of the image: no face can be read.
BLUR = 0.1
# The share whose deletion is said in one number.
MARKED = 0.2

Predict = Callable[[np.ndarray], Outputs]


def rank_pixels(importance: np.ndarray) -> np.ndarray:
    """Return the rank of each pixel of (count, size, size) maps, the most important first: 0 to size * size - 1."""
    flat = importance.reshape(len(importance), -1)
    ranks = np.empty(flat.shape, np.int32)
    order = np.argsort(-flat, axis=1, kind="stable")
    np.put_along_axis(ranks, order, np.arange(flat.shape[1], dtype=np.int32)[None], axis=1)
    return ranks.reshape(importance.shape)


def delete(images: np.ndarray, ranks: np.ndarray, share: float) -> np.ndarray:
    """Return images whose most important pixels, of so large a share, are grey."""
    hidden = ranks < round(share * ranks[0].size)
    return np.where(hidden[..., None], np.uint8(GREY), images)


def insert(images: np.ndarray, ranks: np.ndarray, share: float) -> np.ndarray:
    """Return images that are blurred but for the most important pixels, of so large a share."""
    seen = ranks < round(share * ranks[0].size)
    blurred = np.stack([cv2.GaussianBlur(image, (0, 0), BLUR * len(image)) for image in images])
    return np.where(seen[..., None], images, blurred)


def trace(
    predict: Predict, explanation: Explanation, images: np.ndarray, ranks: np.ndarray, steps: int
) -> dict[str, dict[str, np.ndarray]]:
    """Return (count, steps + 1) scores by kind (deletion or insertion) and task, as the altered share rises to 1.

    images: (count, size, size, 3) uint8. ranks: of their pixels.
    """
    shares = np.linspace(0, 1, steps + 1)
    return {
        kind: _score_each(predict, explanation, (alter(images, ranks, share) for share in shares))
        for kind, alter in (("deletion", delete), ("insertion", insert))
    }


def area(curves: np.ndarray) -> np.ndarray:
    """Return (count,) the areas under (count, steps + 1) curves over shares from 0 to 1, by the trapezoidal rule."""
    return np.trapezoid(curves, dx=1 / (curves.shape[1] - 1), axis=1)


def _score_each(predict: Predict, explanation: Explanation, altered: Iterator[np.ndarray]) -> dict[str, np.ndarray]:
    scores = [explanation.score(predict(images)) for images in altered]
    return {task: np.stack([score[task] for score in scores], axis=1) for task in explanation.tasks}
