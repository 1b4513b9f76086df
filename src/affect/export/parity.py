"""Whether an exported file gives what its model gives."""

import numpy as np

from affect.core.predictions import PROBABILITIES
from affect.core.rng import rng_for
from affect.models.predictors import Predictor

# Of a float32 file, in any output.
TOLERANCE = 1e-5

_IMAGES = 8
_SQUARES = 8


def difference(exported: Predictor, original: Predictor) -> float:
    """Return the largest absolute difference of any output, on images of coloured squares."""
    images = draw_squares(original.image_size)
    columns = [*PROBABILITIES, "predicted_valence", "predicted_arousal"]
    one, other = (predictor.predict([images])[columns].to_numpy(float) for predictor in (exported, original))
    return float(np.nanmax(np.abs(one - other)))


def draw_squares(size: int) -> np.ndarray:
    """Return (8, size, size, 3) uint8 images, the same ones each time."""
    colours = rng_for(0, "parity").integers(0, 256, (_IMAGES, _SQUARES, _SQUARES, 3), np.uint8)
    places = np.arange(size) * _SQUARES // size
    return colours[:, places][:, :, places]
