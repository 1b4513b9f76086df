"""int8 is calibrated on images that the model was trained on, and judged on others of them."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from affect.core.records import Records
from affect.core.rng import rng_for
from affect.export.parity import tabulate
from affect.models.predictors import Predictor, open_predictor
from affect.plumbing.errors import InputError

JUDGED = 256


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
    if len(rows) < 2:
        raise InputError("int8 is calibrated on training images, and there are none")
    judged = min(JUDGED, len(rows) // 2)
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
            distance = float(np.nanmean(np.abs(tabulate(open_predictor(tried), found.judged) - expected)))
            if distance < least:
                closest, least = count, distance
                file.write_bytes(tried.read_bytes())
    return closest
