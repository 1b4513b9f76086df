"""Reading a picture between its pixels."""

from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from affect.core.opencv import cv2

Sample = TypeVar("Sample", np.uint8, np.float32)

# OpenCV takes None where one map holds x and y, whatever its stubs say; past an empty array it reads on.
_NO_SECOND_MAP: Any = None


def look_up(image: NDArray[Sample], places: NDArray[np.float32], border: int = cv2.BORDER_REPLICATE) -> NDArray[Sample]:
    """Interpolate an image linearly.

    image: (height, width) or (height, width, channels). places: (rows, columns, 2) positions (x, y) in pixels. border:
    OpenCV's rule for places outside the image. Returns (rows, columns) or (rows, columns, channels), of the image's
    type.
    """
    return np.asarray(cv2.remap(image, places, _NO_SECOND_MAP, cv2.INTER_LINEAR, borderMode=border), image.dtype)
