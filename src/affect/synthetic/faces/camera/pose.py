"""Turning a head: a depth for every point of the frontal face, a pose, and the camera that sees it.

The head is painted from the front. Each point of that painting has a depth, so the head can be turned by
moving every pixel to where the camera would see it (weak perspective). The landmarks move the same way.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from affect.core.opencv import cv2
from affect.synthetic.faces.camera.sampling import look_up
from affect.synthetic.faces.person.anatomy import Points

# Broad shapes of a face in front of the skull: x, y, spread in x and y, height, in face units.
_PROMINENCES = (
    (0.0, 0.62, 0.20, 0.22, 0.28),
    (0.0, 0.25, 0.15, 0.28, 0.12),
    (0.0, 1.15, 0.40, 0.22, 0.10),
    (0.0, 1.62, 0.35, 0.18, 0.08),
)
# How much higher than the landmarks, which end at the brows, a crop is centred.
_FOREHEAD = 0.14
_TABLE_REACH, _TABLE_NODES = 3.0, 193
_GRID_STEP = 7
_ITERATIONS = 7


def depth(points: Points) -> NDArray[np.float64]:
    """How far in front of the ears each frontal point lies.

    points: (..., 2) positions seen from the front, in face units. Returns (...) depths in face units.
    """
    x, y = points[..., 0], points[..., 1]
    # Beyond the sides the parabola goes on as a straight line: steeper, a turned head would fold over.
    across = np.minimum(np.abs(x), 1.2)
    height = 0.95 - 0.5 * across**2 - 1.2 * np.maximum(np.abs(x) - 1.2, 0.0)
    along = np.clip(y - 0.5, -1.9, 1.6)
    height = height - 0.17 * along**2
    for centre_x, centre_y, spread_x, spread_y, bump in _PROMINENCES:
        height = height + bump * np.exp(-(((x - centre_x) / spread_x) ** 2 + ((y - centre_y) / spread_y) ** 2) / 2)
    return height


@lru_cache
def _depth_table() -> NDArray[np.float32]:
    places = np.linspace(-_TABLE_REACH, _TABLE_REACH, _TABLE_NODES)
    return depth(np.stack(np.meshgrid(places, places), axis=-1)).astype(np.float32)


def _tabled_depth(points: Points) -> NDArray[np.float32]:
    """`depth` of an image of points, interpolated: many times faster."""
    places = (points + _TABLE_REACH) * ((_TABLE_NODES - 1) / (2 * _TABLE_REACH))
    table = _depth_table()
    return look_up(table, places.astype(np.float32))


class Pose(NamedTuple):
    """Rotation of the head in radians: yaw to the image's right, pitch up, roll clockwise."""

    yaw: float
    pitch: float
    roll: float


def sample_pose(rng: np.random.Generator) -> Pose:
    """Draw a pose as photographs of faces have it: mostly near the front."""
    yaw, pitch, roll = np.clip(rng.standard_normal(3), -2.2, 2.2) * np.radians([13.0, 7.0, 7.5])
    return Pose(float(yaw), float(pitch), float(roll))


def rotation(pose: Pose) -> NDArray[np.float64]:
    """The (3, 3) matrix that takes (x right, y down, z to the camera) of the head to those of the camera."""
    (cy, cp, cr), (sy, sp, sr) = np.cos(pose), np.sin(pose)
    yaw = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    pitch = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    roll = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(roll @ pitch @ yaw)


@dataclass(frozen=True)
class Camera:
    """A pose, and where its (size, size) frame lies: pixel = scale * (rotated point) + offset."""

    pose: Pose
    scale: float
    offset: tuple[float, float]
    size: int

    def project(self, points: Points) -> Points:
        """Where (..., 2) frontal points, in face units, fall in the picture, in pixels."""
        spatial = np.concatenate([points, depth(points)[..., None]], axis=-1)
        return np.asarray(spatial @ rotation(self.pose)[:2].T * self.scale + self.offset)

    def frontal_map(self) -> NDArray[np.float32]:
        """For every pixel of the picture, the frontal point it shows: (size, size, 2), in face units."""
        nodes = max(self.size // _GRID_STEP, 8)
        centres = (np.arange(nodes) + 0.5) * self.size / nodes - 0.5
        pixels = np.stack(np.meshgrid(centres, centres), axis=-1)
        target = (pixels - self.offset) / self.scale
        cos_roll, sin_roll = np.cos(self.pose.roll), np.sin(self.pose.roll)
        unrolled = target @ np.array([[cos_roll, -sin_roll], [sin_roll, cos_roll]])
        points = self._unturn(unrolled)
        return np.asarray(cv2.resize(points.astype(np.float32), (self.size, self.size), interpolation=cv2.INTER_LINEAR))

    def _unturn(self, target: Points) -> Points:
        """Invert yaw and pitch: a fixed point, since the depth depends on the answer."""
        tan_yaw, cos_yaw, sin_yaw = np.tan(self.pose.yaw), np.cos(self.pose.yaw), np.sin(self.pose.yaw)
        cos_pitch, sin_pitch = np.cos(self.pose.pitch), np.sin(self.pose.pitch)
        points = target.copy()
        for _ in range(_ITERATIONS):
            height = _tabled_depth(points)
            forward = height * cos_yaw - points[..., 0] * sin_yaw
            points = np.stack(
                [
                    target[..., 0] / cos_yaw - height * tan_yaw,
                    (target[..., 1] + forward * sin_pitch) / cos_pitch,
                ],
                axis=-1,
            )
        return points


def frame_face(rng: np.random.Generator, pose: Pose, landmarks: Points, size: int) -> Camera:
    """Draw how the face is cropped: its landmarks fill most of the (size, size) picture, roughly centred.

    rng: source of the crop's scale and offset. pose: of the head. landmarks: (68, 2) frontal landmarks in face units.
    size: of the picture, in pixels.
    """
    seen = Camera(pose, 1.0, (0.0, 0.0), size).project(landmarks)
    low, high = seen.min(axis=0), seen.max(axis=0)
    centre = (low + high) / 2 - (0.0, _FOREHEAD)
    fill = rng.uniform(0.66, 0.96)
    scale = fill * size / float(max(high - low))
    shift = np.clip(rng.standard_normal(2), -2, 2) * 0.025 * size
    offset = size / 2 - 0.5 + shift - centre * scale
    return Camera(pose, scale, (float(offset[0]), float(offset[1])), size)
