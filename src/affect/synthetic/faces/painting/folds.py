"""What muscles do to skin: the bumps and folds of a face, and how action units and age deepen them.

The folds are the appearance changes of the FACS manual (Ekman & Friesen 1978).
"""

from collections.abc import Mapping, Sequence

import numpy as np

from affect.synthetic.faces.painting.relief import FINE, Relief
from affect.synthetic.faces.person.anatomy import LEFT_EYE, RIGHT_EYE, Points, shifted
from affect.synthetic.faces.person.looks import Looks

# Depth of a line that only age has drawn, in face units.
_AGE_LINE = 0.010


def face_relief(shape: Points, looks: Looks, action_units: Mapping[str, float]) -> Relief:
    """The relief of a face.

    shape: (68, 2) landmarks in face units. looks: of the person. action_units: intensity in [0, 1] of every name in
    `ACTION_UNITS`.
    """
    relief = Relief()
    _add_nose(relief, shape, looks)
    _add_brows_and_eyes(relief, shape, looks)
    _add_lips_and_chin(relief, shape, action_units)
    _add_forehead(relief, shape, looks, action_units)
    _add_glabella(relief, shape, looks, action_units)
    for side in (-1, 1):
        _add_cheek(relief, shape, looks, action_units, side)
        _add_mouth_corner(relief, shape, looks, action_units, side)
    return relief


def _add_nose(relief: Relief, shape: Points, looks: Looks) -> None:
    height = looks.nose_height
    for point, spread, share in ((27, 0.10, 0.07), (28, 0.11, 0.11), (29, 0.12, 0.13)):
        relief.bump(shape[point], (spread, 0.13), share * height)
    relief.bump(shape[30], (0.13, 0.12), 0.15 * height)
    relief.bump(shape[30], (0.26, 0.2), 0.10 * height)
    for wing, side in ((shape[31], 1), (shape[35], -1)):
        relief.bump(shifted(wing, 0.05 * side, -0.05), (0.065, 0.06), 0.11 * height)
        relief.crease(_near(wing, (0.0, -0.16), (0.055, -0.06), (0.03, 0.03), side=-side), 0.03)
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


def _add_forehead(relief: Relief, shape: Points, looks: Looks, action_units: Mapping[str, float]) -> None:
    """Lines across the forehead, which raised brows deepen."""
    inner, outer = action_units["AU1"], action_units["AU2"]
    depth = _AGE_LINE * looks.age + 0.03 * max(inner, outer) * (0.5 + 0.5 * looks.age)
    # The inner brow alone folds only the middle of the forehead.
    width = 1 - 0.45 * max(inner - outer, 0.0)
    brow_top = min(shape[19, 1], shape[24, 1])
    for above in (0.13, 0.24, 0.35):
        wave = _near((0, brow_top - above), (-0.6, 0.02), (-0.3, -0.02), (0, 0.01), (0.3, -0.02), (0.6, 0.02))
        relief.crease(wave * (width, 1), depth, FINE)


def _add_glabella(relief: Relief, shape: Points, looks: Looks, action_units: Mapping[str, float]) -> None:
    """The frown between the brows, and the wrinkles across and beside the root of the nose."""
    frown, wrinkle = action_units["AU4"], action_units["AU9"]
    middle, gap = (shape[21] + shape[22]) / 2, (shape[22, 0] - shape[21, 0]) / 2
    for side in (-1, 1):
        furrow = _near(middle, (0.55 * gap, -0.14), (0.4 * gap, 0.0), (0.5 * gap, 0.1), side=side)
        relief.crease(furrow, _AGE_LINE * looks.age + 0.05 * frown, FINE)
        relief.bump(shifted(middle, (gap + 0.05) * side, 0.03), (0.08, 0.06), 0.03 * frown)
        flank = _near((0, 0), (0.07, 0.12), (0.15, 0.24), (0.17, 0.38), side=side)
        relief.crease(flank, 0.045 * wrinkle, FINE)
    for below in (-0.06, 0.025, 0.11):
        across = _near((0, shape[27, 1] + below), (-0.12, 0.02), (0, -0.01), (0.12, 0.02))
        relief.crease(across, 0.045 * wrinkle, FINE)


def _add_cheek(relief: Relief, shape: Points, looks: Looks, action_units: Mapping[str, float], side: int) -> None:
    """Cheekbone, hollows, the fold below the eye and crow's feet, on one side of the picture."""
    eye, outer = (shape[LEFT_EYE], shape[45]) if side > 0 else (shape[RIGHT_EYE], shape[36])
    centre, squint = eye.mean(axis=0), action_units["AU6"]
    raised = max(squint, 0.5 * action_units["AU12L" if side > 0 else "AU12R"])
    apple = (0.5 * side + 0.25 * centre[0], 0.62 - 0.10 * raised - 0.03 * action_units["AU9"])
    relief.bump(apple, (0.20, 0.17), 0.06 + 0.09 * raised)
    relief.bump((0.74 * side, 1.02), (0.16, 0.2), -0.07 * looks.gauntness)
    relief.bump((0.92 * side, -0.3), (0.14, 0.3), -0.06 * looks.gauntness)
    under = _near(centre, (-0.16, 0.16), (0.0, 0.2), (0.2, 0.13), side=side)
    relief.crease(under, 0.008 + 0.04 * max(squint, action_units["AU7"]), FINE)
    for start, end in ((-0.02, -0.072), (0.01, 0.036), (0.04, 0.144)):
        foot = _near(outer, (0.04, start), (0.2, end), side=side)
        relief.crease(foot, 0.008 * looks.age + 0.03 * squint * (0.4 + 0.6 * looks.age), FINE)


def _add_mouth_corner(
    relief: Relief, shape: Points, looks: Looks, action_units: Mapping[str, float], side: int
) -> None:
    """Nasolabial fold, dimple, and the fold below the mouth's corner, on one side of the picture."""
    wing, corner = (shape[35], shape[54]) if side > 0 else (shape[31], shape[48])
    person = "L" if side > 0 else "R"
    smile, dimple = action_units["AU12" + person], action_units["AU14" + person]
    pulled = max(smile, 0.9 * action_units["AU9"], 0.9 * action_units["AU10"], 0.35 * action_units["AU20"])
    upper = _near(wing, (0.04, -0.10), (0.13, 0.08), side=side)
    lower = _near(corner, (0.12, -0.13), (0.13, 0.04), side=side)
    relief.crease(np.concatenate([upper, lower]), 0.010 + 0.035 * looks.age + 0.08 * pulled)
    pit = _near(corner, (0.05, -0.05), (0.06, 0.06), side=side)
    relief.crease(pit, 0.05 * dimple + 0.02 * smile)
    sag = _near(corner, (0.03, 0.03), (0.1, 0.13), (0.12, 0.27), side=side)
    relief.crease(sag, 0.018 * looks.age + 0.06 * action_units["AU15"])


def _near(anchor: Points | Sequence[float], *offsets: tuple[float, float], side: int = 1) -> Points:
    """Points at some (outward, down) offsets from an anchor, on one side of the picture."""
    return np.asarray(anchor) + np.array(offsets) * (side, 1)
