"""What muscles do to skin: the bumps and folds of a face, and how action units and age deepen them.

The folds are the appearance changes of the FACS manual (Ekman & Friesen 1978).
"""

from collections.abc import Mapping

import numpy as np

from affect.faces.anatomy import Points, shifted
from affect.faces.looks import Looks
from affect.faces.relief import FINE, Relief


def face_relief(shape: Points, looks: Looks, action_units: Mapping[str, float]) -> Relief:
    """The relief of a face.

    Args:
        shape: (68, 2) landmarks in face units.
        looks: of the person.
        action_units: intensity in [0, 1] of every name in `ACTION_UNITS`.
    """
    relief = Relief()
    _add_nose(relief, shape, looks)
    _add_brows_and_eyes(relief, shape, looks)
    _add_lips_and_chin(relief, shape, action_units)
    _add_upper_folds(relief, shape, looks, action_units)
    for side in (-1, 1):
        _add_cheek(relief, shape, looks, action_units, side)
    return relief


def _add_nose(relief: Relief, shape: Points, looks: Looks) -> None:
    height = looks.nose_height
    for point, spread, share in ((27, 0.10, 0.07), (28, 0.11, 0.11), (29, 0.12, 0.13)):
        relief.bump(shape[point], (spread, 0.13), share * height)
    relief.bump(shape[30], (0.13, 0.12), 0.15 * height)
    relief.bump(shape[30], (0.26, 0.2), 0.10 * height)
    for wing, side in ((shape[31], 1), (shape[35], -1)):
        relief.bump(shifted(wing, 0.05 * side, -0.05), (0.065, 0.06), 0.11 * height)
        around = np.array(
            [
                shifted(wing, -0.0 * side, -0.16),
                shifted(wing, -0.055 * side, -0.06),
                shifted(wing, -0.03 * side, 0.03),
            ]
        )
        relief.crease(around, 0.03)
    relief.crease(shifted(shape[31:36], 0, 0.05), 0.03)


def _add_brows_and_eyes(relief: Relief, shape: Points, looks: Looks) -> None:
    for eye, brow, side in ((shape[36:42], shape[17:22], -1), (shape[42:48], shape[22:27], 1)):
        centre = eye.mean(axis=0)
        for point in brow:
            relief.bump(shifted(point, 0, -0.03), (0.13, 0.08), 0.032)
        relief.bump(shifted(centre, 0, 0.0), (0.24, 0.16), -0.10 * looks.socket_depth)
        relief.bump(shifted(centre, -0.22 * side, -0.04), (0.08, 0.12), -0.08 * looks.socket_depth)
        relief.bump(centre, (0.14, 0.09), 0.06)
        relief.crease(eye[[5, 4]] + [(-0.1, 0.1), (0.1, 0.1)], 0.006 + 0.022 * looks.age)


def _add_lips_and_chin(relief: Relief, shape: Points, action_units: Mapping[str, float]) -> None:
    for point in range(49, 54):
        relief.bump((shape[point] + shape[min(max(point + 11, 61), 63)]) / 2, (0.09, 0.035), 0.022)
    for point, inner in ((55, 65), (56, 65), (57, 66), (58, 67), (59, 67)):
        relief.bump((shape[point] + shape[inner]) / 2, (0.09, 0.045), 0.03)
    relief.crease(np.array([shifted(shape[33], 0, 0.08), shifted(shape[51], 0, -0.02)]), 0.012)
    gap = max(float(shape[66, 1] - shape[62, 1]), 0.0)
    relief.bump((shape[62] + shape[66]) / 2, (0.18, 0.04 + gap / 3), -0.3 * min(gap, 0.25))
    chin = shifted(shape[8], 0, -0.2)
    relief.bump(chin, (0.17, 0.13), 0.07 + 0.05 * action_units["AU17"])
    below_lip = shifted(shape[[59, 58, 57, 56, 55]], 0, 0.07)
    relief.crease(below_lip, 0.028 + 0.05 * action_units["AU17"] + 0.02 * action_units["AU15"])
    # A raised chin is pitted.
    for offset in ((-0.1, 0.03), (0.0, -0.04), (0.1, 0.03), (-0.04, 0.08), (0.06, 0.09)):
        relief.bump(chin + offset, (0.03, 0.03), -0.016 * action_units["AU17"])


def _add_upper_folds(relief: Relief, shape: Points, looks: Looks, action_units: Mapping[str, float]) -> None:
    raised_inner, raised_outer = action_units["AU1"], action_units["AU2"]
    frown, wrinkle = action_units["AU4"], action_units["AU9"]
    aged = 0.006 * looks.age
    brow_top = min(shape[19, 1], shape[24, 1])
    for step in range(3):
        y = brow_top - 0.13 - 0.11 * step
        curve = np.array(
            [[-0.6, y + 0.02], [-0.3, y - 0.02], [0, y + 0.01], [0.3, y - 0.02], [0.6, y + 0.02]]
        )
        # The inner brow alone folds only the middle of the forehead, higher towards the centre.
        if raised_inner > raised_outer:
            curve = curve * (1 - 0.45 * (raised_inner - raised_outer), 1)
        relief.crease(curve, aged + 0.02 * max(raised_inner, raised_outer) * (0.5 + 0.5 * looks.age), FINE)
    inner = (shape[21] + shape[22]) / 2
    gap = (shape[22, 0] - shape[21, 0]) / 2
    for side in (-1, 1):
        line = np.array(
            [
                shifted(inner, 0.55 * gap * side, -0.14),
                shifted(inner, 0.4 * gap * side, 0.0),
                shifted(inner, 0.5 * gap * side, 0.1),
            ]
        )
        relief.crease(line, aged + 0.035 * frown, FINE)
        relief.bump(shifted(inner, (gap + 0.05) * side, 0.03), (0.08, 0.06), 0.03 * frown)
    for step in range(3):
        y = shape[27, 1] - 0.06 + 0.085 * step
        relief.crease(np.array([[-0.12, y + 0.02], [0, y - 0.01], [0.12, y + 0.02]]), 0.03 * wrinkle, FINE)
    for side in (-1, 1):
        flank = np.array([[0.07 * side, 0.12], [0.15 * side, 0.24], [0.17 * side, 0.38]])
        relief.crease(flank, 0.03 * wrinkle, FINE)


def _add_cheek(
    relief: Relief, shape: Points, looks: Looks, action_units: Mapping[str, float], side: int
) -> None:
    """Cheekbone, nasolabial fold, crow's feet, dimple and the folds at the mouth's corner on one side of the picture."""
    wing, corner = (shape[35], shape[54]) if side > 0 else (shape[31], shape[48])
    eye = shape[42:48] if side > 0 else shape[36:42]
    outer = eye[3] if side > 0 else eye[0]
    person = "L" if side > 0 else "R"
    smile, dimple = action_units["AU12" + person], action_units["AU14" + person]
    raised = max(action_units["AU6"], 0.5 * smile)
    centre = eye.mean(axis=0)
    apple = np.array(
        [0.62 * side + 0.25 * (centre[0] - 0.5 * side), 0.62 - 0.10 * raised - 0.03 * action_units["AU9"]]
    )
    relief.bump(apple, (0.20, 0.17), 0.06 + 0.09 * raised)
    relief.bump((0.74 * side, 1.02), (0.16, 0.2), -0.07 * looks.gauntness)
    relief.bump((0.92 * side, -0.3), (0.14, 0.3), -0.06 * looks.gauntness)
    fold = np.array(
        [
            shifted(wing, 0.04 * side, -0.10),
            shifted(wing, 0.13 * side, 0.08),
            shifted(corner, 0.12 * side, -0.13),
        ]
    )
    fold = np.concatenate([fold, [shifted(corner, 0.13 * side, 0.04)]])
    pulled = max(smile, 0.9 * action_units["AU9"], 0.9 * action_units["AU10"], 0.35 * action_units["AU20"])
    relief.crease(fold, 0.008 + 0.026 * looks.age + 0.055 * pulled)
    relief.crease(
        np.array([shifted(corner, 0.05 * side, -0.05), shifted(corner, 0.06 * side, 0.06)]),
        0.05 * dimple + 0.02 * smile,
    )
    sag = np.array(
        [
            shifted(corner, 0.03 * side, 0.03),
            shifted(corner, 0.1 * side, 0.13),
            shifted(corner, 0.12 * side, 0.27),
        ]
    )
    relief.crease(sag, 0.018 * looks.age + 0.045 * action_units["AU15"])
    under = np.array(
        [shifted(centre, -0.16 * side, 0.16), shifted(centre, 0.0, 0.2), shifted(centre, 0.2 * side, 0.13)]
    )
    relief.crease(under, 0.008 + 0.025 * max(action_units["AU6"], action_units["AU7"]), FINE)
    for drop in (-0.04, 0.02, 0.08):
        foot = np.array([shifted(outer, 0.04 * side, drop * 0.5), shifted(outer, 0.2 * side, drop * 1.8)])
        relief.crease(foot, 0.008 * looks.age + 0.018 * action_units["AU6"] * (0.4 + 0.6 * looks.age), FINE)
