"""The 68 landmarks of a face, how people differ in them, and how muscles move them.

Landmarks follow the iBUG 300-W order (Sagonas et al. 2013): jaw 0-16, brows 17-26, nose 27-35, eyes 36-47,
outer lips 48-59, inner lips 60-67. Coordinates are *face units*: the origin lies midway between the pupils, x
points to the right of the image (the person's left), y points down, and the pupils of the mean face are one
unit apart.

Action units (AUs) are those of the Facial Action Coding System (FACS: Ekman & Friesen 1978), with intensities
in [0, 1]. Left and right are the person's own, as FACS has them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

JAW = slice(0, 17)
RIGHT_BROW, LEFT_BROW = slice(17, 22), slice(22, 27)
NOSE_RIDGE, NOSE_BASE = slice(27, 31), slice(31, 36)
RIGHT_EYE, LEFT_EYE = slice(36, 42), slice(42, 48)
OUTER_LIPS, INNER_LIPS = slice(48, 60), slice(60, 68)


def shifted(points: Points, right: float, down: float) -> Points:
    """One point, or (..., 2) points, moved in face units."""
    return points + np.array([right, down])


# The landmark that takes each one's place in a mirror.
MIRROR = np.array(
    [
        *(*range(16, -1, -1), *range(26, 16, -1), *range(27, 31), *range(35, 30, -1)),
        *(45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40),
        *(*range(54, 47, -1), *range(59, 54, -1), *range(64, 59, -1), 67, 66, 65),
    ]
)

# The person's left half of a mean adult face at rest; the other half is its mirror image.
_LEFT_HALF: dict[int, tuple[float, float]] = {
    **{8: (0.0, 1.76), 9: (0.23, 1.735), 10: (0.46, 1.645), 11: (0.69, 1.475), 12: (0.87, 1.22)},
    **{13: (0.98, 0.94), 14: (1.02, 0.64), 15: (1.06, 0.33), 16: (1.07, 0.02)},
    **{22: (0.20, -0.25), 23: (0.36, -0.33), 24: (0.55, -0.37), 25: (0.73, -0.34), 26: (0.88, -0.22)},
    **{27: (0.0, -0.02), 28: (0.0, 0.20), 29: (0.0, 0.43), 30: (0.0, 0.65)},
    **{33: (0.0, 0.85), 34: (0.12, 0.82), 35: (0.24, 0.77)},
    **{42: (0.29, 0.03), 43: (0.42, -0.075), 44: (0.58, -0.08), 45: (0.71, 0.01)},
    **{46: (0.58, 0.08), 47: (0.42, 0.085)},
    **{51: (0.0, 1.095), 52: (0.10, 1.075), 53: (0.26, 1.115), 54: (0.41, 1.185)},
    **{55: (0.27, 1.27), 56: (0.12, 1.315), 57: (0.0, 1.325)},
    **{62: (0.0, 1.19), 63: (0.12, 1.182), 64: (0.36, 1.186), 65: (0.12, 1.19), 66: (0.0, 1.198)},
}

# Where the landmarks of the person's left half go at full intensity (right, down), in face units.
_MOVES: dict[str, dict[int, tuple[float, float]]] = {
    "AU1": {22: (-0.01, -0.17), 23: (0.0, -0.13), 24: (0.0, -0.05), 43: (0.0, -0.012)},
    "AU2": {23: (0.0, -0.06), 24: (0.0, -0.15), 25: (0.0, -0.18), 26: (0.01, -0.13), 44: (0.0, -0.012)},
    "AU4": {
        **{22: (-0.07, 0.12), 23: (-0.06, 0.12), 24: (-0.03, 0.09), 25: (-0.01, 0.05), 26: (0.0, 0.02)},
        **{43: (0.0, 0.018), 44: (0.0, 0.008), 27: (0.0, 0.01)},
    },
    "AU5": {43: (0.0, -0.065), 44: (0.0, -0.065)},
    "AU6": {
        46: (0.0, -0.06),
        47: (0.0, -0.04),
        44: (0.0, 0.022),
        43: (0.0, 0.008),
        45: (-0.01, 0.005),
        26: (0.0, 0.02),
    },
    "AU7": {46: (0.0, -0.04), 47: (0.0, -0.045), 43: (0.0, 0.03), 44: (0.0, 0.03)},
    "AU9": {
        **{22: (-0.03, 0.10), 23: (-0.02, 0.08), 24: (0.0, 0.05), 43: (0.0, 0.025), 44: (0.0, 0.02)},
        **{46: (0.0, -0.025), 47: (0.0, -0.03), 30: (0.0, -0.05), 33: (0.0, -0.06), 34: (0.0, -0.075)},
        **{
            35: (0.035, -0.10),
            51: (0.0, -0.05),
            52: (0.0, -0.06),
            53: (0.01, -0.06),
            62: (0.0, -0.02),
            63: (0.0, -0.02),
        },
    },
    "AU10": {
        **{
            51: (0.0, -0.10),
            52: (0.01, -0.115),
            53: (0.02, -0.085),
            54: (0.01, 0.01),
            62: (0.0, -0.07),
            63: (0.01, -0.065),
        },
        **{35: (0.02, -0.035), 34: (0.0, -0.02)},
    },
    "AU12": {
        **{54: (0.18, -0.16), 64: (0.17, -0.155), 53: (0.10, -0.055), 55: (0.10, -0.055), 52: (0.02, 0.01)},
        **{
            51: (0.0, 0.015),
            56: (0.03, 0.0),
            63: (0.05, -0.01),
            65: (0.05, 0.0),
            35: (0.02, -0.01),
            46: (0.0, -0.01),
        },
    },
    "AU14": {54: (0.07, -0.03), 64: (0.07, -0.03), 53: (0.03, 0.0), 55: (0.03, -0.01)},
    "AU15": {
        54: (0.02, 0.12),
        64: (0.02, 0.115),
        55: (0.01, 0.045),
        53: (0.0, 0.05),
        63: (0.0, 0.0),
        65: (0.0, 0.01),
    },
    "AU17": {
        **{55: (0.0, -0.03), 56: (0.0, -0.065), 57: (0.0, -0.07), 65: (0.0, -0.045), 66: (0.0, -0.055)},
        **{
            51: (0.0, -0.03),
            52: (0.0, -0.03),
            62: (0.0, -0.045),
            63: (0.0, -0.04),
            54: (0.0, 0.03),
            64: (0.0, 0.03),
        },
        **{8: (0.0, -0.03), 9: (0.0, -0.02)},
    },
    "AU20": {
        54: (0.15, 0.03),
        64: (0.15, 0.03),
        53: (0.07, 0.015),
        55: (0.09, 0.03),
        56: (0.02, 0.02),
        57: (0.0, 0.02),
    },
    "AU23": {
        **{51: (0.0, 0.05), 52: (-0.01, 0.055), 53: (-0.03, 0.03), 54: (-0.05, 0.0), 64: (-0.05, 0.0)},
        **{55: (-0.03, -0.03), 56: (-0.01, -0.055), 57: (0.0, -0.05)},
    },
    "AU25": {
        **{62: (0.0, -0.03), 63: (0.0, -0.03), 51: (0.0, -0.015), 52: (0.0, -0.015)},
        **{65: (0.0, 0.06), 66: (0.0, 0.065), 55: (0.0, 0.035), 56: (0.0, 0.06), 57: (0.0, 0.06)},
    },
    "AU26": {
        **{
            65: (0.05, 0.21),
            66: (0.0, 0.24),
            55: (0.0, 0.17),
            56: (0.03, 0.23),
            57: (0.0, 0.24),
            63: (0.03, 0.0),
        },
        **{54: (-0.04, 0.08), 64: (-0.04, 0.08), 53: (-0.02, 0.0), 8: (0.0, 0.22), 9: (0.0, 0.21)},
        **{10: (0.0, 0.17), 11: (0.0, 0.12), 12: (0.0, 0.06)},
    },
    "AU27": {
        **{65: (0.08, 0.31), 66: (0.0, 0.37), 55: (0.0, 0.28), 56: (0.04, 0.35), 57: (0.0, 0.37)},
        **{54: (-0.06, 0.12), 64: (-0.05, 0.12), 53: (-0.03, -0.02), 52: (0.0, -0.04), 51: (0.0, -0.04)},
        **{62: (0.0, -0.04), 63: (0.06, -0.03), 8: (0.0, 0.36), 9: (0.0, 0.34), 10: (0.0, 0.28)},
        **{11: (0.0, 0.19), 12: (0.0, 0.09)},
    },
    "AU43": {43: (0.0, 0.15), 44: (0.0, 0.15), 46: (0.0, -0.005), 47: (0.0, -0.005)},
}
_ONE_SIDED = ("AU12", "AU14")

ACTION_UNITS: tuple[str, ...] = tuple(
    name for unit in _MOVES for name in ((f"{unit}L", f"{unit}R") if unit in _ONE_SIDED else (unit,))
)
"""Names of the action units, in the order every face lists them; L and R are the person's left and right."""

# Lids and lips cannot pass through one another: (upper, lower) landmarks.
_CLOSING_PAIRS = ((37, 41), (38, 40), (43, 47), (44, 46), (61, 67), (62, 66), (63, 65))


def _mirrored(half: Mapping[int, tuple[float, float]]) -> Points:
    """The (68, 2) points whose left half is given, mirrored onto the right half."""
    points = np.zeros((68, 2))
    for index, (x, y) in half.items():
        points[MIRROR[index]] = (-x, y)
        points[index] = (x, y)
    return points


def _displacements() -> Points:
    """The (AUs, 68, 2) displacements at full intensity, in the order of `ACTION_UNITS`."""
    rows = []
    for unit, half in _MOVES.items():
        both = _mirrored(half)
        if unit not in _ONE_SIDED:
            rows.append(both)
            continue
        # A midline landmark moves half as far when only one side pulls.
        side = np.where(MEAN_SHAPE[:, 0] > 0, 1.0, np.where(MEAN_SHAPE[:, 0] < 0, 0.0, 0.5))[:, None]
        rows += [both * side, both * (1 - side)]
    return np.stack(rows)


MEAN_SHAPE = _mirrored(_LEFT_HALF)
"""The (68, 2) landmarks of the mean face at rest, in face units."""
_DISPLACEMENTS = _displacements()


@dataclass(frozen=True)
class Identity:
    """What distinguishes a person's landmarks from the mean face.

    traits: deviation of each name in `TRAITS`; 0 is the mean face. asymmetry: (36, 2) displacements of the landmarks
    down to the nose, in face units.
    """

    traits: dict[str, float]
    asymmetry: Points


# Standard deviation of each trait: a share of the size for sizes, face units for places.
TRAITS: dict[str, float] = {
    **{"face_width": 0.07, "face_length": 0.05, "jaw_width": 0.07, "chin_length": 0.06},
    **{"eye_distance": 0.04, "eye_size": 0.09, "eye_opening": 0.16, "eye_slant": 0.012},
    **{"brow_height": 0.035, "brow_arch": 0.02, "brow_slant": 0.018, "nose_length": 0.07, "nose_width": 0.12},
    **{"mouth_width": 0.08, "mouth_height": 0.03, "mouth_curve": 0.014, "upper_lip": 0.22, "lower_lip": 0.2},
}
_ASYMMETRY = 0.006
_EXTREME = 2.2


def sample_identity(rng: np.random.Generator) -> Identity:
    """Draw a person: normal deviations from the mean face, none beyond 2.2 standard deviations."""
    deviations = np.clip(rng.standard_normal(len(TRAITS)), -_EXTREME, _EXTREME)
    traits = {name: float(z * spread) for z, (name, spread) in zip(deviations, TRAITS.items(), strict=True)}
    return Identity(traits, _ASYMMETRY * np.clip(rng.standard_normal((36, 2)), -_EXTREME, _EXTREME))


def resting_shape(identity: Identity) -> Points:
    """The (68, 2) landmarks of a person at rest, in face units."""
    points = MEAN_SHAPE.copy()
    _shape_outline(points, identity.traits)
    _shape_eyes_and_brows(points, identity.traits)
    _shape_nose_and_mouth(points, identity.traits)
    # Lips and lids are left symmetric: a tenth of a lip's height would read as an expression.
    points[:36] += identity.asymmetry
    return points


def _shape_outline(points: Points, traits: Mapping[str, float]) -> None:
    points[JAW, 0] *= 1 + traits["face_width"]
    low = np.clip((points[JAW, 1] - 0.5) / 1.2, 0, 1)
    points[JAW, 0] *= 1 + traits["jaw_width"] * 2 * low
    points[JAW, 1] += traits["chin_length"] * low**2 * 1.7
    below_eyes = points[:, 1] > 0.1
    points[below_eyes, 1] *= 1 + traits["face_length"]


def _shape_eyes_and_brows(points: Points, traits: Mapping[str, float]) -> None:
    for eye, brow, side in ((RIGHT_EYE, RIGHT_BROW, -1), (LEFT_EYE, LEFT_BROW, 1)):
        centre = points[eye].mean(axis=0)
        points[eye] = centre + (points[eye] - centre) * (1 + traits["eye_size"])
        points[eye, 1] = centre[1] + (points[eye, 1] - centre[1]) * (1 + traits["eye_opening"])
        points[eye, 1] -= traits["eye_slant"] * side * (points[eye, 0] - centre[0]) / 0.2
        points[eye, 0] += side * traits["eye_distance"]
        outward = (points[brow, 0] * side - 0.55) / 0.35
        points[brow, 1] -= (
            traits["brow_height"] + traits["brow_arch"] * (1 - outward**2) + traits["brow_slant"] * outward
        )
        points[brow, 0] += side * traits["eye_distance"]


def _shape_nose_and_mouth(points: Points, traits: Mapping[str, float]) -> None:
    points[27:36, 1] *= 1 + traits["nose_length"]
    points[NOSE_BASE, 0] *= 1 + traits["nose_width"]
    points[48:, 0] *= 1 + traits["mouth_width"]
    upper, lower = np.array([49, 50, 51, 52, 53]), np.array([55, 56, 57, 58, 59])
    for lip, thickness in ((upper, traits["upper_lip"]), (lower, traits["lower_lip"])):
        points[lip, 1] += (points[lip, 1] - 1.187 * (1 + traits["face_length"])) * thickness
    points[48:, 1] += traits["mouth_height"]
    points[48:, 1] -= traits["mouth_curve"] * (np.abs(points[48:, 0]) / 0.4) ** 2


def move(rest: Points, action_units: Mapping[str, float]) -> Points:
    """Contract muscles: the landmarks of a face at rest, moved by its action units.

    rest: (68, 2) landmarks at rest, in face units. action_units: intensity in [0, 1] of each name in `ACTION_UNITS`; a
    missing one is 0. Returns (68, 2) landmarks in face units; closed lids and lips touch and never cross.
    """
    intensities = np.array([action_units.get(name, 0.0) for name in ACTION_UNITS])
    points = rest + np.tensordot(intensities, _DISPLACEMENTS, axes=1)
    for upper, lower in _CLOSING_PAIRS:
        overlap = points[upper, 1] - points[lower, 1]
        if overlap > 0:
            points[upper, 1] -= overlap / 2
            points[lower, 1] += overlap / 2
    return points
