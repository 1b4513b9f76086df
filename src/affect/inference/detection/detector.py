"""Where the faces of a picture are: a detector for faces of one size, run on the picture in several."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from affect.core.opencv import cv2
from affect.data.images.cropping import Box, resize
from affect.inference.detection.yunet import YuNet

# Of a face's score, in [0, 1].
THRESHOLD = 0.7
# The longer side, in pixels, to which a picture is brought: faces that fill it are found in the small one, others in
# the large one.
SMALL, LARGE = 320, 1920
# Where no face was found: the longer side, and a border in longer sides. Noise is averaged out, and some faces that
# fill a picture are only found with room about them.
_LAST_TRIES = ((128, 0.0), (SMALL, 0.3))
# A pass no larger than this over the small one finds nothing that the small one does not.
_MIN_GAIN = 1.25
# Of two boxes, the share of the smaller that both cover, from which they are one face.
_SAME_FACE = 0.5


@dataclass(frozen=True)
class Face:
    """A face in a picture, in its pixels.

    box: may reach beyond the picture. landmarks: (5, 2) positions (x, y) of the eyes, the tip of the nose and the
    corners of the mouth, of either pair the one to the left in the picture first. score: in [0, 1], how sure the
    detector is.
    """

    box: Box
    landmarks: np.ndarray
    score: float


class FaceDetector:
    """Finds upright faces of 32 pixels or more; those turned by more than 45 degrees are missed.

    Raises InputError where the detector's file is not installed.
    """

    def __init__(self, small: int = SMALL, large: int | None = LARGE, threshold: float = THRESHOLD) -> None:
        self.sides = [small] if large is None else [small, large]
        self.network = YuNet(threshold)

    def detect(self, image: np.ndarray) -> list[Face]:
        """Return the faces of a (height, width, 3) uint8 RGB picture, from left to right."""
        longer = max(image.shape[:2])
        small, *larger = self.sides
        sides = [small, *(side for side in (min(longer, side) for side in larger) if side > _MIN_GAIN * small)]
        found = [face for side in sides for face in self._detect_at(image, side)]
        for side, border in _LAST_TRIES:
            found = found or self._detect_at(image, side, round(border * longer))
        return sorted(_merge(found), key=lambda face: face.box)

    def _detect_at(self, image: np.ndarray, side: int, border: int = 0) -> list[Face]:
        """Find faces in a picture with a black border, brought to a longer side."""
        framed = cv2.copyMakeBorder(image, border, border, border, border, cv2.BORDER_CONSTANT) if border else image
        scale = side / max(framed.shape[:2])
        height, width = (max(1, round(length * scale)) for length in framed.shape[:2])
        rows = self.network.detect(resize(framed, width, height))
        steps = np.array([framed.shape[1] / width, framed.shape[0] / height])
        return [_read_face(row, steps, border) for row in rows]


def _read_face(row: np.ndarray, steps: np.ndarray, border: int) -> Face:
    """Return a face from a row of YuNet: box, five landmarks, score.

    steps: (2,) of the picture's pixels, across and down, for one of the row's. border: of the picture, in its pixels.
    """
    left, top = row[:2] * steps - border
    width, height = row[2:4] * steps
    return Face(Box(left, top, width, height), row[4:14].reshape(5, 2) * steps - border, float(row[14]))


def _merge(faces: Sequence[Face]) -> list[Face]:
    """Keep of the boxes of one face that with the highest score."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.score):
        if all(_overlap(face.box, other.box) < _SAME_FACE for other in kept):
            kept.append(face)
    return kept


def _overlap(first: Box, second: Box) -> float:
    """Return the area that both boxes cover, as a share of the smaller one's."""
    width = min(first.left + first.width, second.left + second.width) - max(first.left, second.left)
    height = min(first.top + first.height, second.top + second.height) - max(first.top, second.top)
    smaller = min(first.width * first.height, second.width * second.height)
    return max(width, 0.0) * max(height, 0.0) / smaller if smaller > 0 else 0.0
