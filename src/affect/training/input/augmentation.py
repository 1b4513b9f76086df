"""Altered faces: one affine warp, brightness and contrast, then without colour or with a patch erased."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from affect.core.opencv import cv2
from affect.core.rng import rng_for

# Of an erased rectangle, as Zhong et al. 2020: the area as a share of the image's, and height / width.
ERASED_AREA = (0.02, 0.33)
ERASED_ASPECT = (0.3, 1 / 0.3)


@dataclass(frozen=True)
class Augmentation:
    """How far a copy may differ from its original; each draw is uniform within plus or minus its bound.

    rotation: degrees. zoom: share of the size. shift: share of the side, each way. flip: probability of a
    horizontal flip. brightness: share of the full range. contrast: share, about the image's mean. grey, erase:
    probabilities of losing the colour, and a rectangle.
    """

    rotation: float
    zoom: float
    shift: float
    flip: float
    brightness: float
    contrast: float
    grey: float = 0.0
    erase: float = 0.0


def augment(image: np.ndarray, bounds: Augmentation, rng: np.random.Generator) -> np.ndarray:
    """Return an altered copy of a square (size, size, 3) uint8 image; what is moved in is reflected at the border."""
    size = len(image)
    warped = cv2.warpAffine(
        image,
        _sample_warp(size, bounds, rng),
        (size, size),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REFLECT_101,
    )
    altered = cv2.LUT(warped, _sample_tones(float(warped.mean()), bounds, rng))
    # Drawn last, so that a copy without them is the same whatever these are.
    if rng.random() < bounds.grey:
        altered = cv2.cvtColor(cv2.cvtColor(altered, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    if rng.random() < bounds.erase:
        _erase(altered, rng)
    return altered


@dataclass(frozen=True)
class Alteration:
    """How each image is altered anew in each epoch, drawn from the seed, its name, the epoch, and how often it came.

    ids, copies: the name of the image of each row, and which copy of it the row is, (count,) int.
    """

    bounds: Augmentation
    ids: Sequence[str]
    copies: np.ndarray
    seed: int

    def alter(self, image: np.ndarray, row: int, epoch: int, occurrence: int) -> np.ndarray:
        """Alter the image of a row."""
        # A Python number: NumPy's reads otherwise, and would draw otherwise.
        name = (self.ids[row], int(self.copies[row]))
        return augment(image, self.bounds, rng_for(self.seed, *name, "epoch", epoch, occurrence))


def _sample_warp(size: int, bounds: Augmentation, rng: np.random.Generator) -> np.ndarray:
    """Return the (2, 3) matrix that rotates and zooms about the centre, flips and shifts."""
    centre = (size - 1) / 2
    angle = rng.uniform(-bounds.rotation, bounds.rotation)
    zoom = 1 + rng.uniform(-bounds.zoom, bounds.zoom)
    shift = rng.uniform(-bounds.shift, bounds.shift, 2) * size
    warp = cv2.getRotationMatrix2D((centre, centre), angle, zoom)
    if rng.random() < bounds.flip:
        warp = warp @ np.array([[-1, 0, size - 1], [0, 1, 0], [0, 0, 1]])
    return warp + np.array([[0, 0, shift[0]], [0, 0, shift[1]]])


def _sample_tones(mean: float, bounds: Augmentation, rng: np.random.Generator) -> np.ndarray:
    """Return the (256,) uint8 table from old to new values."""
    brightness = 255 * rng.uniform(-bounds.brightness, bounds.brightness)
    contrast = 1 + rng.uniform(-bounds.contrast, bounds.contrast)
    tones = (np.arange(256) - mean) * contrast + mean + brightness
    return np.clip(np.rint(tones), 0, 255).astype(np.uint8)


def _erase(image: np.ndarray, rng: np.random.Generator) -> None:
    """Fill a rectangle, somewhere in the image, with the image's mean colour, in place."""
    size = len(image)
    area = size**2 * rng.uniform(*ERASED_AREA)
    aspect = np.exp(rng.uniform(*np.log(ERASED_ASPECT)))
    sides = np.sqrt([area * aspect, area / aspect])
    height, width = (int(np.clip(np.rint(side), 1, size)) for side in sides)
    top, left = (int(rng.integers(0, size - side + 1)) for side in (height, width))
    image[top : top + height, left : left + width] = np.rint(image.mean(axis=(0, 1)))
