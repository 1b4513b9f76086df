"""Whether an exported file gives what its model gives."""

import numpy as np

from affect.core.predictions import PROBABILITIES
from affect.core.rng import rng_for
from affect.models.predictors import Predictor

# Of a float32 file, in any output.
TOLERANCE = 1e-5

_BATCH = 32
_SQUARES_IMAGES = 8
_SQUARES = 8


def difference(exported: Predictor, original: Predictor) -> float:
    """Return the largest absolute difference of any output, on images of coloured squares."""
    images = draw_squares(original.image_size)
    return float(np.nanmax(np.abs(tabulate(exported, images) - tabulate(original, images))))


def tabulate(predictor: Predictor, images: np.ndarray) -> np.ndarray:
    """Return the (count, 10) probabilities, valence and arousal of (count, size, size, 3) images."""
    batches = (images[start : start + _BATCH] for start in range(0, len(images), _BATCH))
    return predictor.predict(batches)[[*PROBABILITIES, "predicted_valence", "predicted_arousal"]].to_numpy(float)


def draw_squares(size: int) -> np.ndarray:
    """Return (8, size, size, 3) uint8 images, the same ones each time."""
    colours = rng_for(0, "parity").integers(0, 256, (_SQUARES_IMAGES, _SQUARES, _SQUARES, 3), np.uint8)
    places = np.arange(size) * _SQUARES // size
    return colours[:, places][:, :, places]
