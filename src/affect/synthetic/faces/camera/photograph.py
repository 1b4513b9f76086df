"""Taking the picture: background, things in the way, exposure, colour, blur, noise and compression."""

import numpy as np
from numpy.typing import NDArray

from affect.core.opencv import cv2
from affect.synthetic.faces.painting.canvas import ellipse
from affect.synthetic.faces.person.anatomy import Points

Image = NDArray[np.uint8]

# Standard deviation of the difference of two even draws from 0-255.
_TRIANGLE_SPREAD = 104.5
_LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)


def paint_background(rng: np.random.Generator, size: int) -> Image:
    """A blurred room: two colours, a few shapes. (size, size, 3) uint8 RGB."""
    first, second = rng.uniform(0, 255, (2, 1)) + rng.normal(0, 18, (2, 3))
    small = 16
    slope = np.add.outer(*(rng.uniform(-1, 1, 2)[:, None] * np.linspace(-0.5, 0.5, small))) + 0.5
    room = (first + (second - first) * np.clip(slope, 0, 1)[..., None]).astype(np.float32)
    for _ in range(rng.integers(0, 5)):
        corners = rng.uniform(-2, small + 2, (4, 2))
        cv2.fillConvexPoly(
            room,
            cv2.convexHull(corners.astype(np.int32)),
            (rng.uniform(0, 255) + rng.normal(0, 18, 3)).tolist(),
        )
    room = cv2.GaussianBlur(room, (0, 0), rng.uniform(0.3, 2.0))
    return np.asarray(cv2.resize(cv2.convertScaleAbs(room), (size, size), interpolation=cv2.INTER_CUBIC), np.uint8)


def occlude(rng: np.random.Generator, image: Image, landmarks: Points) -> None:
    """Now and then, put something in front of the face, in place: a finger, a microphone, an edge."""
    if rng.random() > 0.1:
        return
    size = image.shape[0]
    face = float(np.ptp(landmarks[:, 0]))
    place = landmarks[rng.integers(0, 17)] + rng.normal(0, 0.08, 2) * face
    long, thin = rng.uniform(0.15, 0.5) * face, rng.uniform(0.06, 0.16) * face
    outline = ellipse(place, (long, thin), rng.uniform(0, np.pi))
    mask = np.zeros((size, size), np.uint8)
    cv2.fillPoly(mask, [np.rint(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
    soft = cv2.GaussianBlur(mask, (0, 0), 0.01 * size)
    colour = rng.uniform(20, 220) * np.array([1.0, *rng.uniform(0.6, 1.0, 2)])
    cover = soft * np.float32(1 / 255)
    image[:] = cv2.blendLinear(image, np.full_like(image, colour.astype(np.uint8)), 1 - cover, cover)


def develop(rng: np.random.Generator, image: Image) -> Image:
    """Everything between the lens and the file: (size, size, 3) uint8 RGB in and out."""
    image = _add_noise(rng, _expose(rng, _defocus(rng, image)))
    return _compress(rng, image) if rng.random() < 0.35 else image


def _defocus(rng: np.random.Generator, image: Image) -> Image:
    size = image.shape[0]
    if rng.random() < 0.3:
        # A small photograph, enlarged.
        small = int(size * rng.uniform(0.25, 0.7))
        shrunk = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.resize(shrunk, (size, size), interpolation=cv2.INTER_CUBIC), np.uint8)
    sigma = abs(rng.normal(0, 0.004)) * size
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8) if sigma > 0.3 else image


def _expose(rng: np.random.Generator, image: Image) -> Image:
    """Colour cast, contrast and brightness; two pictures in five are black and white."""
    channels = np.tile(_LUMINANCE, (3, 1)) if rng.random() < 0.4 else np.diag(np.exp(rng.normal(0, 0.045, 3)))
    mean, spread = (values[:3, 0] for values in cv2.meanStdDev(image))
    grey = mean @ channels.T
    # A camera stretches what it sees over much of its range.
    contrast = np.clip(rng.uniform(38, 75) / spread.mean(), 0.6, 2.0)
    exposed = grey + rng.uniform(0, 0.7) * (rng.uniform(90, 150) - grey.mean())
    pivot = exposed - grey * contrast
    return np.asarray(cv2.transform(image, np.column_stack([channels * contrast, pivot]).astype(np.float32)), np.uint8)


def _add_noise(rng: np.random.Generator, image: Image) -> Image:
    """Noise of the sensor: the same in each channel, its distribution a triangle."""
    size = image.shape[0]
    strength = rng.uniform(0, 1) ** 3 * 12
    first, second = np.frombuffer(rng.bytes(2 * size * size), np.uint8).reshape(2, size, size)
    noise = cv2.subtract(first, second, dtype=cv2.CV_16S)
    grain = np.rint(noise * np.float32(strength / _TRIANGLE_SPREAD)).astype(np.int16)
    return np.asarray(cv2.add(image, cv2.merge([grain] * 3), dtype=cv2.CV_8U), np.uint8)


def _compress(rng: np.random.Generator, pixels: Image) -> Image:
    quality = int(rng.integers(25, 90))
    _, encoded = cv2.imencode(".jpg", pixels, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR), np.uint8)
