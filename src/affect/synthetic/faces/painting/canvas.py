"""A canvas in face units, and the few strokes everything on it is painted with.

Colours are RGB in 0-255. The canvas is premultiplied RGBA: where nothing is painted, the background shows.
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from affect.core.opencv import cv2
from affect.synthetic.faces.person.anatomy import Points

Colour = tuple[float, float, float]
Paint = Colour | NDArray[np.uint8]

EXTENT = 4.2
ORIGIN = (-2.1, -1.85)
_ORIGIN = np.array(ORIGIN)
_SHIFT = 4
_VISIBLE_BLUR = 0.55
_WIDE_BLUR = 1.5


class _Box(NamedTuple):
    """Whole pixels, the right and bottom ones excluded."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def corner(self) -> NDArray[np.int32]:
        """The top left, in sixteenths of a pixel."""
        return np.array([self.left << _SHIFT, self.top << _SHIFT], np.int32)


def mix(first: Colour, second: Colour, share: float) -> Colour:
    """The colour that is `share` of the way from the first to the second."""
    red, green, blue = (a + (b - a) * share for a, b in zip(first, second, strict=True))
    return (red, green, blue)


def scaled(colour: Colour, factor: float) -> Colour:
    """A colour made darker or lighter, within 0-255."""
    red, green, blue = (min(255.0, channel * factor) for channel in colour)
    return (red, green, blue)


class Canvas:
    """A square picture of the head from the front, addressed in face units."""

    def __init__(self, pixels_wide: int) -> None:
        self.pixels = np.zeros((pixels_wide, pixels_wide, 4), np.uint8)
        self.scale = pixels_wide / EXTENT

    def fill(
        self,
        outline: Points,
        paint: Paint,
        opacity: float = 1.0,
        *,
        soft: float = 0.0,
        within: Points | None = None,
        texture: NDArray[np.float32] | None = None,
    ) -> None:
        """Fill an outline.

        outline: (n, 2) corners, in face units. paint: a colour, or a pattern as large as the canvas. opacity: of the
        paint, 0-1. soft: standard deviation of the edge, in face units. within: another outline outside which nothing
        is painted. texture: (pixels, pixels) factors of the opacity over the whole canvas.
        """
        corners = self._fixed_point(outline)
        box = self._box(corners, soft)
        if box is None or opacity <= 0:
            return
        mask = _filled(box, corners)
        self._cover(box, mask, paint, opacity=opacity, soft=soft, within=within, texture=texture)

    def stroke(
        self,
        line: Points,
        paint: Paint,
        width: float,
        opacity: float = 1.0,
        *,
        soft: float = 0.0,
        within: Points | None = None,
    ) -> None:
        """Draw an open (n, 2) line, or (lines, n, 2) several, of some width; the rest is as in `fill`."""
        corners = self._fixed_point(line)
        box = self._box(corners.reshape(-1, 2), soft + width / 2)
        if box is None or opacity <= 0:
            return
        thickness = max(1, round(width * self.scale))
        # A line thinner than a pixel is a fainter line one pixel wide.
        faint = min(1.0, width * self.scale / thickness)
        mask = np.zeros((box.bottom - box.top, box.right - box.left), np.uint8)
        lines = list(corners - box.corner) if corners.ndim == 3 else [corners - box.corner]
        cv2.polylines(mask, lines, False, 255, thickness, cv2.LINE_AA, _SHIFT)
        self._cover(box, mask, paint, opacity=opacity * faint, soft=soft, within=within, texture=None)

    def disc(self, centre: Points, radius: float, colour: Colour, within: Points | None = None) -> None:
        """Fill a circle."""
        self.fill(centre + radius * _unit_circle(), colour, within=within)

    def to_pixels(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Face units to pixels; a pixel's centre has whole coordinates."""
        return (points - _ORIGIN.astype(np.float32)) * np.float32(self.scale) - np.float32(0.5)

    def _fixed_point(self, points: Points) -> NDArray[np.int32]:
        """Face units to sixteenths of a pixel."""
        one = 1 << _SHIFT
        return np.rint((points - _ORIGIN) * (self.scale * one) - one / 2).astype(np.int32)

    def _box(self, corners: NDArray[np.int32], margin: float) -> _Box | None:
        """The pixels an outline can touch; None if it misses the canvas."""
        left, top, wide, high = cv2.boundingRect(corners)
        reach = int(3 * margin * self.scale) + 2
        size = self.pixels.shape[0]
        box = _Box(
            max((left >> _SHIFT) - reach, 0),
            max((top >> _SHIFT) - reach, 0),
            min(((left + wide) >> _SHIFT) + reach + 1, size),
            min(((top + high) >> _SHIFT) + reach + 1, size),
        )
        return box if box.right > box.left and box.bottom > box.top else None

    def _cover(
        self,
        box: _Box,
        mask: NDArray[np.uint8],
        paint: Paint,
        *,
        opacity: float,
        soft: float,
        within: Points | None,
        texture: NDArray[np.float32] | None,
    ) -> None:
        """Lay paint over the box where the mask says."""
        sigma = soft * self.scale
        # An anti-aliased edge is as soft as that already.
        if sigma > _VISIBLE_BLUR:
            mask = _soften(mask, sigma)
        if within is not None:
            mask = np.asarray(cv2.min(mask, _filled(box, self._fixed_point(within))), np.uint8)
        area = (slice(box.top, box.bottom), slice(box.left, box.right))
        cover = mask * np.float32(opacity / 255)
        if texture is not None:
            cover = np.minimum(cover * texture[area], 1)
        below = self.pixels[area]
        over = paint[area] if isinstance(paint, np.ndarray) else _sheet(below.shape[:2], paint)
        below[:] = cv2.blendLinear(below, over, 1 - cover, cover)


def _sheet(shape: tuple[int, ...], colour: Colour) -> NDArray[np.uint8]:
    """An opaque (height, width, 4) picture of one colour."""
    # Four bytes are written as one number: numpy fills short rows slowly.
    pixel = np.array([*(round(channel) for channel in colour), 255], np.uint8).view(np.uint32)[0]
    return np.full(shape, pixel, np.uint32).view(np.uint8).reshape(*shape, 4)


def _soften(mask: NDArray[np.uint8], sigma: float) -> NDArray[np.uint8]:
    """Blur a mask by about this standard deviation: by two boxes where that is wide, much faster than a Gaussian.

    OpenCV's `stackBlur` is faster still, but its pixels change with the number of threads.
    """
    if sigma < _WIDE_BLUR:
        return np.asarray(cv2.GaussianBlur(mask, (0, 0), sigma), np.uint8)
    # Two boxes of width w have variance (w^2 - 1) / 6 together.
    width = 2 * round((np.sqrt(6 * sigma**2 + 1) - 1) / 2) + 1
    return np.asarray(cv2.blur(cv2.blur(mask, (width, width)), (width, width)), np.uint8)


def _filled(box: _Box, corners: NDArray[np.int32]) -> NDArray[np.uint8]:
    """A mask of the box that is 255 within an outline."""
    mask = np.zeros((box.bottom - box.top, box.right - box.left), np.uint8)
    cv2.fillPoly(mask, [corners - box.corner], 255, cv2.LINE_AA, _SHIFT)
    return mask


@lru_cache
def _unit_circle() -> Points:
    angles = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def ellipse(centre: Points | Sequence[float], radii: tuple[float, float], tilt: float = 0.0) -> Points:
    """The (24, 2) outline of an ellipse; `tilt` in radians, clockwise on screen."""
    cosine, sine = np.cos(tilt), np.sin(tilt)
    turned = _unit_circle() * radii @ np.array([[cosine, sine], [-sine, cosine]])
    return np.asarray(turned + centre)


def superellipse(corners: int, power: float) -> Points:
    """The (corners, 2) closed outline of a unit circle made squarer (power below 1) or pointed (above)."""
    circle = np.stack([turn(np.linspace(0, 2 * np.pi, corners)) for turn in (np.cos, np.sin)], axis=1)
    return np.asarray(np.sign(circle) * np.abs(circle) ** power)


@lru_cache
def spline_weights(count: int, steps: int) -> Points:
    """Weights of `count` knots in the points of an open Catmull-Rom spline through them: (points, count)."""
    t = np.linspace(0, 1, steps, endpoint=False)
    basis = (
        np.stack([-t + 2 * t**2 - t**3, 2 - 5 * t**2 + 3 * t**3, t + 4 * t**2 - 3 * t**3, -(t**2) + t**3], axis=1) / 2
    )
    weights = np.zeros(((count - 1) * steps + 1, count))
    for span in range(count - 1):
        for offset in range(-1, 3):
            knot = min(max(span + offset, 0), count - 1)
            weights[span * steps : (span + 1) * steps, knot] += basis[:, offset + 1]
    weights[-1, -1] = 1.0
    return weights


def spline(knots: Points, steps: int = 5) -> Points:
    """A smooth open line through (n, 2) knots, `steps` points a span (Catmull & Rom 1974)."""
    return np.asarray(spline_weights(len(knots), steps) @ knots)
