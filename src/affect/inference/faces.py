"""The faces of a picture, each as the square image that a network takes."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from affect.data.images.cropping import crop_square, letterbox
from affect.inference.detection import Face, FaceDetector

# The side of what is cut out, in longer sides of the detected box; datasets of cropped faces are about as close.
SCALE = 1.0
# The longer side of a picture's only face, in shorter sides of the picture, from which the picture is a cropped face.
FILLED = 0.65


@dataclass(frozen=True)
class SquareFace:
    """A face to predict: (size, size, 3) uint8 pixels, and where it was found.

    found: None where the picture is taken for a cropped face unseen. cropped: the pixels are the whole picture's.
    """

    pixels: np.ndarray
    found: Face | None
    cropped: bool


def cut_faces(image: np.ndarray, size: int, detector: FaceDetector | None, whole: bool = True) -> list[SquareFace]:
    """Cut the faces out of a (height, width, 3) RGB picture, from left to right.

    whole: whether a picture that its only face fills is resized as training does with cropped faces. Without a detector
    each picture is.
    """
    if detector is None:
        return [SquareFace(letterbox(image, size), None, cropped=True)]
    found = detector.detect(image)
    if whole and fills(found, image.shape):
        return [SquareFace(letterbox(image, size), found[0], cropped=True)]
    return [SquareFace(crop_square(image, face.box, size, SCALE), face, cropped=False) for face in found]


def fills(faces: Sequence[Face], shape: Sequence[int]) -> bool:
    """Whether a picture of a shape (height, width, ...) is of one face and little else."""
    return len(faces) == 1 and max(faces[0].box.width, faces[0].box.height) >= FILLED * min(shape[:2])
