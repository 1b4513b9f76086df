"""How pictures come twice into a dataset, and what faces have in common that are different."""

from collections.abc import Callable

import cv2
import numpy as np

Alter = Callable[[np.ndarray], np.ndarray]


def reencode(image: np.ndarray, quality: int) -> np.ndarray:
    """Write and read a JPEG."""
    _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR))


def resize(image: np.ndarray, factor: float) -> np.ndarray:
    """Shrink or enlarge."""
    interpolation = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return cv2.resize(image, None, fx=factor, fy=factor, interpolation=interpolation)


def crop(image: np.ndarray, share: float) -> np.ndarray:
    """Cut a share of the side off each of them."""
    height, width = image.shape[:2]
    rows, columns = max(1, round(height * share)), max(1, round(width * share))
    return image[rows : height - rows, columns : width - columns]


def turn(image: np.ndarray, degrees: float) -> np.ndarray:
    """Turn about the middle; the corners repeat what is beside them."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    return cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)


def mirror(image: np.ndarray) -> np.ndarray:
    """Exchange left and right."""
    return np.ascontiguousarray(image[:, ::-1])


def grey(image: np.ndarray) -> np.ndarray:
    """Take the colours away."""
    return cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)


COPIES: dict[str, Alter] = {
    "JPEG of quality 50": lambda image: reencode(image, 50),
    "JPEG of quality 20": lambda image: reencode(image, 20),
    "half the size": lambda image: resize(image, 0.5),
    "one and a half times the size": lambda image: resize(image, 1.5),
    "grey": grey,
    "brighter by 20 of 255": lambda image: np.clip(image.astype(int) + 20, 0, 255).astype(np.uint8),
    "blurred (a deviation of 2 pixels)": lambda image: cv2.GaussianBlur(image, (0, 0), 2),
    "mirrored": mirror,
    "mirrored, JPEG of quality 50": lambda image: reencode(mirror(image), 50),
    "cropped by 1 % a side": lambda image: crop(image, 0.01),
    "cropped by 2 % a side": lambda image: crop(image, 0.02),
    "cropped by 3 % a side": lambda image: crop(image, 0.03),
    "cropped by 5 % a side": lambda image: crop(image, 0.05),
    "turned by 2 degrees": lambda image: turn(image, 2),
    "turned by 3 degrees": lambda image: turn(image, 3),
    "turned by 5 degrees": lambda image: turn(image, 5),
}


def mask(image: np.ndarray) -> np.ndarray:
    """Black out what lies outside an oval, as face trackers crop by default."""
    height, width = image.shape[0], image.shape[1]
    oval = np.zeros((height, width), np.uint8)
    cv2.ellipse(oval, (width // 2, height // 2), (int(width * 0.42), int(height * 0.48)), 0, 0, 360, 255, -1)
    return image * (oval[..., None] > 0)


def enclose(image: np.ndarray) -> np.ndarray:
    """Put an image into the middle of a black one, four times as large."""
    height, width = image.shape[0] // 2, image.shape[1] // 2
    return cv2.copyMakeBorder(image, height, height, width, width, cv2.BORDER_CONSTANT)


def frame(image: np.ndarray) -> np.ndarray:
    """Put an image of any size into a patterned frame, the same for all."""
    coarse = np.random.default_rng(0).integers(0, 256, (9, 9, 3), dtype=np.uint8)
    framed = cv2.resize(coarse, (384, 384), interpolation=cv2.INTER_CUBIC)
    framed[80:304, 80:304] = cv2.resize(image, (224, 224), interpolation=cv2.INTER_AREA)
    return framed


BORDERS: dict[str, Alter] = {
    "plain": lambda image: image,
    "masked": mask,
    "in margins": enclose,
    "both": lambda image: enclose(mask(image)),
    "in a frame": frame,
}
