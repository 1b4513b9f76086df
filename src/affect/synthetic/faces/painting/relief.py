"""Light on a face: a height field of bumps and creases, and the shading it casts."""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from affect.core.opencv import cv2
from affect.synthetic.faces.painting.canvas import EXTENT, ORIGIN, spline_weights
from affect.synthetic.faces.person.anatomy import Points

RESOLUTION = 128
_STEP = EXTENT / RESOLUTION
_CREASE_DOTS = 24
_LAMP = np.float32(1.25)
_SHADOW_STEPS = (0.08, 0.16, 0.26, 0.4)
FINE, BROAD = 0.022, 0.036


class Relief:
    """Bumps (positive heights) and creases, all in face units."""

    def __init__(self) -> None:
        self._bumps: list[tuple[float, ...]] = []
        self._creases: dict[float, list[NDArray[np.float64]]] = {FINE: [], BROAD: []}

    def bump(self, centre: Sequence[float] | Points, spread: tuple[float, float], height: float) -> None:
        """Add a Gaussian with its centre (x, y), standard deviations (x, y) and height."""
        self._bumps.append((*centre, *spread, height))

    def crease(self, knots: Points, depth: float, width: float = BROAD) -> None:
        """Press a fold along a smooth line through (n, 2) knots; it fades at both ends.

        knots: (n, 2) points of the line. depth: of the fold; none is pressed unless it is positive. width: standard
        deviation across the fold, `FINE` or `BROAD`.
        """
        if depth <= 0:
            return
        line = spline_weights(len(knots), _CREASE_DOTS // (len(knots) - 1)) @ knots
        along = np.diff(line, axis=0)
        spacing = float(np.hypot(along[:, 0], along[:, 1]).mean())
        # What a dot must weigh for dots this far apart, once blurred, to add up to the depth.
        weight = -depth * spacing * width * np.sqrt(2 * np.pi) / _STEP**2
        self._creases[width].append(np.column_stack([line, weight * _fade(len(line))]))

    def heights(self) -> NDArray[np.float32]:
        """The (RESOLUTION, RESOLUTION) height field over the canvas, with the skull below it."""
        x, y, spread_x, spread_y, height = np.array(self._bumps).T[..., None]
        columns = np.exp(-(((_ACROSS - x) / spread_x) ** 2) / 2)
        rows = np.exp(-(((_DOWN - y) / spread_y) ** 2) / 2) * height
        # Not `@`: BLAS rounds by its kernel and its number of threads. In float64, since NumPy rounds exp and einsum by
        # the processor: rounding the field to float32 removes the difference.
        field = np.einsum("kh,kw->hw", rows, columns) + _SKULL
        for width, dots in self._creases.items():
            if dots:
                field += cv2.GaussianBlur(_scatter(np.concatenate(dots)), (0, 0), width / _STEP)
        return np.asarray(field, np.float32)


def _scatter(dots: NDArray[np.float64]) -> NDArray[np.float32]:
    """Sum (n, 3) weighted dots (x, y, weight) into the four cells around each, by nearness."""
    place = np.clip((dots[:, :2] - ORIGIN) / _STEP - 0.5, 0, RESOLUTION - 1.001)
    cell = place.astype(np.int64)
    (right, below), weight = (place - cell).T, dots[:, 2]
    index = cell[:, 1] * RESOLUTION + cell[:, 0]
    field = np.zeros(RESOLUTION * RESOLUTION)
    for step, share in (
        (0, (1 - right) * (1 - below)),
        (1, right * (1 - below)),
        (RESOLUTION, (1 - right) * below),
        (RESOLUTION + 1, right * below),
    ):
        field += np.bincount(index + step, weight * share, RESOLUTION * RESOLUTION)
    return field.reshape(RESOLUTION, RESOLUTION).astype(np.float32)


def _skull(across: NDArray[np.float64], down: NDArray[np.float64]) -> NDArray[np.float64]:
    """A rounded head, without features."""
    side = np.minimum(np.abs(across), 1.25)
    top = np.clip(down - 0.45, -1.7, 1.35)
    return np.asarray(-0.52 * side[None, :] ** 2 - 0.10 * side[None, :] ** 4 - 0.20 * top[:, None] ** 2)


_ACROSS, _DOWN = (np.asarray(corner + (np.arange(RESOLUTION) + 0.5) * _STEP, np.float64) for corner in ORIGIN)
_SKULL = _skull(_ACROSS, _DOWN)


@lru_cache
def _fade(count: int) -> NDArray[np.float64]:
    """Strength along a crease, which ends gently."""
    return np.asarray(np.sin(np.linspace(0.15, np.pi - 0.15, count)) ** 0.6)


class Light:
    """One lamp and the light of the room.

    direction: (3,) unit vector to the lamp: right, down, to the camera. ambient: share of the light that comes from
    everywhere, 0-1. gloss: strength of reflections on skin, 0-1. cavity: how much creases darken.
    """

    def __init__(self, direction: NDArray[np.float64], ambient: float, gloss: float, cavity: float) -> None:
        self.direction = direction / np.linalg.norm(direction)
        self.ambient, self.gloss, self.cavity = ambient, gloss, cavity


def sample_light(rng: np.random.Generator) -> Light:
    """Draw a lamp in front and mostly above, in a room more or less bright."""
    side, above = rng.normal(0, 0.65), rng.normal(-0.5, 0.45)
    direction = np.array([side, above, rng.uniform(0.8, 1.3)])
    return Light(direction, rng.uniform(0.25, 0.6), rng.uniform(0.0, 0.4) ** 1.5, rng.uniform(4.0, 8.0))


def _cast_shadow(heights: NDArray[np.float32], light: Light) -> NDArray[np.float32]:
    """How much of the lamp other parts of the face hide from each point: (n, n), 0-1."""
    right, down, forward = light.direction
    sideways = float(np.hypot(right, down))
    rise = forward / max(sideways, 1e-3)
    excess = np.zeros_like(heights)
    for distance in _SHADOW_STEPS:
        cells = distance / (_STEP * max(sideways, 1e-3))
        shift = np.array([[1, 0, right * cells], [0, 1, down * cells]])
        toward = cv2.warpAffine(
            heights,
            shift,
            heights.shape[::-1],
            flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        excess = np.maximum(excess, toward - heights - distance * rise)
    # The lamp has a size: a shadow's edge is soft.
    return np.asarray(0.8 * cv2.GaussianBlur(np.clip(excess / 0.06, 0, 1), (0, 0), 1.2), np.float32)


def shade(heights: NDArray[np.float32], light: Light) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Light a height field.

    heights: (n, n) in face units. light: seen from the head. Returns (n, n) factors of the albedo, about 0-1.3, and (n,
    n) reflections to add, 0-1.
    """
    slope_x = cv2.Sobel(heights, cv2.CV_32F, 1, 0, ksize=3, scale=1 / (8 * _STEP))
    slope_y = cv2.Sobel(heights, cv2.CV_32F, 0, 1, ksize=3, scale=1 / (8 * _STEP))
    steepness = 1 / np.sqrt(1 + slope_x**2 + slope_y**2)
    lx, ly, lz = (np.float32(v) for v in light.direction)
    facing = np.maximum((lz - slope_x * lx - slope_y * ly) * steepness, 0)
    half = light.direction + np.array([0.0, 0.0, 1.0])
    hx, hy, hz = (np.float32(v) for v in half / np.linalg.norm(half))
    mirrored = np.maximum((hz - slope_x * hx - slope_y * hy) * steepness, 0)
    hollow = cv2.GaussianBlur(heights, (0, 0), 2.2) - heights
    occlusion = np.clip(1 - light.cavity * hollow, 0.25, 1.12)
    direct = (1 - light.ambient) * _LAMP * facing * (1 - _cast_shadow(heights, light))
    diffuse = (light.ambient + direct) * occlusion
    return np.asarray(diffuse, np.float32), np.asarray(light.gloss * _to_the_24th(mirrored), np.float32)


def _to_the_24th(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the 24th power. NumPy's own rounds by the processor; a product doesn't."""
    eighth = np.square(np.square(np.square(values)))
    return eighth * eighth * eighth
