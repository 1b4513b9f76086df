"""How close an exported file is to its model, and on which images int8 is calibrated."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from affect.core.predictions import PROBABILITIES
from affect.core.records import Records
from affect.core.rng import rng_for
from affect.models.predictors import Predictor, open_predictor
from affect.plumbing.errors import InputError

# The columns of a table of predictions that a network puts out.
OUTPUTS = [*PROBABILITIES, "predicted_valence", "predicted_arousal"]
# Of a float32 file, in any output.
TOLERANCE = 1e-5

_BATCH = 32
_SQUARES_IMAGES = 8
_SQUARES = 8
# Images that int8 is judged by, and the fewest with which it is tried.
_JUDGED = 256
_FEWEST = 16


@dataclass(frozen=True)
class Calibration:
    """Images (count, size, size, 3) uint8 to calibrate on, and others to judge the result by."""

    images: np.ndarray
    judged: np.ndarray


def choose_images(train: Records, count: int) -> Calibration:
    """Choose up to so many images to calibrate on, the same ones each time, and others to judge by.

    Raises InputError where there are too few.
    """
    rows = rng_for(0, "calibration").permutation(len(train.images))
    if len(rows) < _FEWEST:
        raise InputError(f"int8 is calibrated on training images, at least {_FEWEST}, and there are {len(rows)}")
    judged = min(_JUDGED, len(rows) // 2)
    chosen = [train.images[row] for row in rows[: count + judged]]
    return Calibration(np.stack(chosen[judged:]), np.stack(chosen[:judged]))


def write_closest(
    write: Callable[[Path, np.ndarray], None],
    counts: Sequence[int],
    found: Calibration,
    original: Predictor,
    file: Path,
) -> int:
    """Write a file calibrated on so many of the images, and return how many.

    Each count is tried, and that one kept whose outputs are closest to the model's on the images to judge by.
    """
    expected = tabulate(original, found.judged)
    closest, least = counts[0], np.inf
    with tempfile.TemporaryDirectory() as folder:
        tried = Path(folder) / file.name
        for count in counts:
            write(tried, found.images[:count])
            outputs = tabulate(open_predictor(tried), found.judged)
            distance = float(np.nanmean(np.abs(outputs - expected)))
            if not np.isfinite(largest_difference(outputs, expected)):
                raise InputError(f"{file.name} would put out what is no number; nothing is written")
            if distance < least:
                closest, least = count, distance
                file.write_bytes(tried.read_bytes())
    return closest


def difference(exported: Predictor, original: Predictor) -> float:
    """Return the largest absolute difference of any output, on images of coloured squares."""
    images = draw_squares(original.image_size)
    return largest_difference(tabulate(exported, images), tabulate(original, images))


def largest_difference(outputs: np.ndarray, expected: np.ndarray) -> float:
    """Return the largest absolute difference; infinity where one of them alone is no number."""
    differences = np.where(np.isnan(outputs) & np.isnan(expected), 0, np.abs(outputs - expected))
    return float(np.where(np.isnan(differences), np.inf, differences).max())


def tabulate(predictor: Predictor, images: np.ndarray) -> np.ndarray:
    """Return the (count, 10) probabilities, valence and arousal of (count, size, size, 3) images."""
    batches = (images[start : start + _BATCH] for start in range(0, len(images), _BATCH))
    return predictor.predict(batches)[OUTPUTS].to_numpy(float)


def draw_squares(size: int) -> np.ndarray:
    """Return (8, size, size, 3) uint8 images, the same ones each time."""
    colours = rng_for(0, "parity").integers(0, 256, (_SQUARES_IMAGES, _SQUARES, _SQUARES, 3), np.uint8)
    places = np.arange(size) * _SQUARES // size
    return colours[:, places][:, :, places]
