"""Where an expression really changed a drawn face: which of its landmarks its action units moved."""

import numpy as np

from affect.core.opencv import cv2
from affect.data.images.cropping import EYES
from affect.plumbing.params import Sample
from affect.synthetic.faces import landmarks_at_rest

# In distances of the eyes: from which a landmark counts as moved, and how far around it skin changes.
MOVED, REACH = 0.04, 0.15


def find_rest(sample: Sample, id: str, expression: int) -> np.ndarray:
    """Return the landmarks of a face of the sample at rest, (68, 2) in pixels of its picture."""
    return landmarks_at_rest(sample.seed, int(id), expression, sample.size, sample.expressiveness)


def mark_changed(rest: np.ndarray, moved: np.ndarray, size: int) -> np.ndarray:
    """Return (size, size) bool: what lies about the landmarks that are elsewhere than at rest, and on their way.

    rest, moved: (68, 2) positions (x, y) in pixels of the picture.
    """
    eyes = [rest[eye].mean(axis=0) for eye in EYES]
    unit = float(np.hypot(*(eyes[1] - eyes[0])))
    mask = np.zeros((size, size), np.uint8)
    for start, end in zip(rest, moved, strict=True):
        if np.hypot(*(end - start)) >= MOVED * unit:
            first, last = start.round().astype(int).tolist(), end.round().astype(int).tolist()
            cv2.line(mask, first, last, 1, max(1, round(2 * REACH * unit)))
    return mask.astype(bool)
