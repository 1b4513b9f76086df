"""From landmarks to the parts of a picture: each pixel belongs to one."""

import numpy as np

from affect.core.opencv import cv2
from affect.data.images.cropping import EYES
from affect.synthetic.faces import MEAN_SHAPE

# Brows are all above the eyes up to the brows, the glabella too; landmarks end there, so that a forehead can't be told
# from hair.
REGIONS = ("brows", "eyes", "nose", "mouth", "cheeks", "jaw", "hair", "background")

# Of landmarks in the order of iBUG 300-W (Sagonas et al. 2013).
_JAW, _BROWS = slice(0, 17), (slice(17, 22), slice(22, 27))
_NOSE, _LIPS = slice(27, 36), slice(48, 60)
# How far each part reaches beyond its landmarks, in distances of the eyes.
_MARGINS = {"brows": 0.06, "eyes": 0.12, "nose": 0.06, "mouth": 0.1}
# Of a head with hair, in heads of a skull.
_HAIR = 1.15


def divide(landmarks: np.ndarray, size: int) -> np.ndarray:
    """Return (size, size) uint8, the place in REGIONS of each pixel of a picture.

    landmarks: (68, 2) positions (x, y) in its pixels, in the order of iBUG 300-W.
    """
    eyes = [landmarks[eye].mean(axis=0) for eye in EYES]
    middle, distance = np.mean(eyes, axis=0), float(np.hypot(*(eyes[1] - eyes[0])))
    down = landmarks[_LIPS].mean(axis=0) - middle
    down /= max(float(np.hypot(*down)), 1e-9)
    depth = np.stack(np.meshgrid(np.arange(size), np.arange(size)), axis=-1) @ down
    jaw = landmarks[_JAW]
    # The eyes are half-way between the chin and the top of the head.
    head = _fill([middle + _HAIR * (2 * middle - jaw - middle), jaw], size)
    face = _fill([jaw, *(landmarks[brow] for brow in _BROWS)], size)
    margins = {name: round(margin * distance) for name, margin in _MARGINS.items()}
    # What comes later lies over what came before.
    parts = (
        ("hair", head & ~face),
        ("cheeks", face),
        ("jaw", face & (depth > landmarks[_LIPS].mean(axis=0) @ down)),
        ("brows", face & (depth < middle @ down)),
        ("nose", _fill([landmarks[_NOSE]], size, margins["nose"])),
        *(("eyes", _fill([landmarks[eye]], size, margins["eyes"])) for eye in EYES),
        *(("brows", _fill([landmarks[brow]], size, margins["brows"])) for brow in _BROWS),
        # Frowning brows lie on the lids.
        *(("eyes", _fill([landmarks[eye]], size)) for eye in EYES),
        ("mouth", _fill([landmarks[_LIPS]], size, margins["mouth"])),
    )
    regions = np.full((size, size), REGIONS.index("background"), np.uint8)
    for name, mask in parts:
        regions[mask] = REGIONS.index(name)
    return regions


def complete_landmarks(points: np.ndarray) -> np.ndarray:
    """Return 68 landmarks for five: those of the mean face, stretched and turned to fit them best.

    points: (5, 2) positions (x, y) of the eyes, the tip of the nose and the corners of the mouth, of either pair the
    one to the left in the picture first. An expression is not in them, so that regions are coarser.
    """
    mean = np.stack([*(MEAN_SHAPE[eye].mean(axis=0) for eye in EYES), MEAN_SHAPE[30], MEAN_SHAPE[48], MEAN_SHAPE[54]])
    affine, *_ = np.linalg.lstsq(np.column_stack([mean, np.ones(5)]), points, rcond=None)
    return np.column_stack([MEAN_SHAPE, np.ones(len(MEAN_SHAPE))]) @ affine


def _fill(outlines: list[np.ndarray], size: int, margin: int = 0) -> np.ndarray:
    """Return (size, size), whether a pixel is in the convex hull of points, or at most a margin beside it."""
    mask = np.zeros((size, size), np.uint8)
    # Far outside the picture OpenCV's coordinates would overflow.
    points = np.concatenate(outlines).clip(-4 * size, 5 * size).round().astype(np.int32)
    cv2.fillConvexPoly(mask, cv2.convexHull(points), 1)
    if margin:
        cv2.polylines(mask, [cv2.convexHull(points)], True, 1, 2 * margin)
    return mask.astype(bool)
