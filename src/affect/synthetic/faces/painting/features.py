"""Painting the features that move: eyes, brows, nose and mouth."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from affect.synthetic.faces.painting.canvas import Canvas, Colour, ellipse, mix, scaled, spline, superellipse
from affect.synthetic.faces.person.anatomy import LEFT_BROW, LEFT_EYE, RIGHT_BROW, RIGHT_EYE, Points, shifted
from affect.synthetic.faces.person.looks import Looks

_IRIS_RADIUS = 0.098
_SCLERA: Colour = (216, 209, 203)
_MOUTH_INSIDE: Colour = (62, 22, 22)
_TEETH: Colour = (236, 228, 212)
_TONGUE: Colour = (168, 82, 82)
_CLOSED = 0.02
_RIM = superellipse(33, 0.65) * (1.15, 0.8)
_TOOTH_GAPS = np.linspace(-0.7, 0.7, 8)


def _eye_lids(eye: Points) -> tuple[Points, Points]:
    """The upper and the lower lid's edges, left to right on the screen, of six eye landmarks."""
    return spline(eye[:4]), spline(eye[[0, 5, 4, 3]])


def paint_eyes(canvas: Canvas, shape: Points, looks: Looks, gaze: tuple[float, float]) -> None:
    """Both eyes looking the same way; `gaze` moves the irises right and down, in face units."""
    for part in (RIGHT_EYE, LEFT_EYE):
        upper, lower = _eye_lids(shape[part])
        opening = np.concatenate([upper, lower[::-1]])
        canvas.fill(opening, mix(_SCLERA, looks.skin, 0.12))
        centre = _iris_centre(shape[part], gaze)
        canvas.disc(centre, _IRIS_RADIUS, scaled(looks.iris, 0.45), within=opening)
        canvas.disc(centre, _IRIS_RADIUS * 0.85, looks.iris, within=opening)
        canvas.disc(centre, _IRIS_RADIUS * 0.45, (10, 8, 8), within=opening)
        canvas.stroke(shifted(upper, 0, 0.02), (40, 25, 25), 0.06, 0.55, soft=0.02, within=opening)
        _paint_lids(canvas, shape[part], upper, lower, looks)


def _iris_centre(eye: Points, gaze: tuple[float, float]) -> Points:
    corners = (eye[0] + eye[3]) / 2
    # The iris rests a little above the line of the corners, wherever the lids are.
    return np.asarray(shifted(corners, 0, -0.02) + np.array(gaze))


def _paint_lids(canvas: Canvas, eye: Points, upper: Points, lower: Points, looks: Looks) -> None:
    height = max(float(eye[4:, 1].mean() - eye[1:3, 1].mean()), 0.0)
    dark = mix(scaled(looks.skin, 0.3), (20, 14, 14), 0.5)
    shade = np.concatenate([upper, upper[::-1] - (0, 0.09)])
    canvas.fill(shade, looks.eye_shadow_colour, looks.eye_shadow, soft=0.03)
    canvas.stroke(upper, dark, 0.022 + 0.03 * looks.lashes, 0.9)
    canvas.stroke(lower, dark, 0.012 + 0.012 * looks.lashes, 0.35 + 0.4 * looks.lashes)
    fold = upper[2:-2] - (0, 0.045 + 0.03 * looks.lid_fold + 0.1 * max(0.0, 0.14 - height))
    canvas.stroke(fold, scaled(looks.skin, 0.5), 0.02, 0.25 + 0.45 * looks.lid_fold, soft=0.008)


def paint_catchlights(canvas: Canvas, shape: Points, gaze: tuple[float, float], side: float) -> None:
    """The lamp mirrored in both eyes, on the side the light comes from."""
    for part in (RIGHT_EYE, LEFT_EYE):
        upper, lower = _eye_lids(shape[part])
        spot = shifted(_iris_centre(shape[part], gaze), 0.035 * side, -0.035)
        canvas.disc(spot, 0.018, (240, 240, 240), within=np.concatenate([upper, lower[::-1]]))


def paint_brows(canvas: Canvas, shape: Points, looks: Looks, grain: NDArray[np.float32]) -> None:
    """Hairs along the brows, thickest at a third of the way out."""
    colour = mix(scaled(looks.hair.colour, 0.75), scaled(looks.skin, 0.35), 0.3)
    rough = np.clip(0.95 + 0.15 * grain, 0.2, 1.3).astype(np.float32)
    for brow, taper in ((RIGHT_BROW, 1), (LEFT_BROW, -1)):
        line = spline(shape[brow], 4)
        share = np.linspace(0, 1, len(line))[::taper]
        half = (looks.brow_thickness / 2 * (0.25 + 0.75 * np.sin(np.pi * share**0.75 * 0.9) ** 0.6))[:, None]
        outline = np.concatenate([line - half * (0, 1), (line + half * (0, 1))[::-1]])
        canvas.fill(outline, colour, looks.brow_strength, soft=0.014, texture=rough)


def paint_nose(canvas: Canvas, shape: Points, looks: Looks) -> None:
    """Nostrils and the edge of the wings; the rest of a nose is light and shade."""
    dark = mix(scaled(looks.skin, 0.25), (50, 20, 20), 0.3)
    for wing, inner, side in ((shape[31], shape[32], -1), (shape[35], shape[34], 1)):
        nostril = shifted(wing * 0.45 + inner * 0.55, 0, -0.015)
        canvas.fill(ellipse(nostril, (0.058, 0.027), 0.35 * side), dark, 0.8, soft=0.012)
        edge = np.array(
            [
                shifted(wing, 0.0 * side, -0.13),
                shifted(wing, 0.035 * side, -0.05),
                shifted(wing, 0.0 * side, 0.02),
            ]
        )
        canvas.stroke(spline(edge), scaled(looks.skin, 0.45), 0.025, 0.4, soft=0.014)
    base = shifted(spline(shape[31:36]), 0, 0.015)
    canvas.stroke(base, scaled(looks.skin, 0.4), 0.03, 0.4, soft=0.018)


def paint_mouth(canvas: Canvas, shape: Points, looks: Looks, action_units: Mapping[str, float]) -> None:
    """Lips, and what an open mouth shows."""
    upper, lower = _lips(shape)
    canvas.fill(upper, scaled(looks.lips, 0.86), 0.9, soft=0.008)
    canvas.fill(lower, looks.lips, 0.9, soft=0.008)
    gap = float(shape[66, 1] - shape[62, 1])
    if gap > _CLOSED:
        _paint_inside(canvas, shape, gap, action_units)
    else:
        line = spline((shape[60:65] + shape[[60, 67, 66, 65, 64]]) / 2)
        canvas.stroke(line, scaled(mix(looks.lips, looks.skin, 0.3), 0.3), 0.022, 0.85, soft=0.006)
    for corner in (shape[48], shape[54]):
        canvas.fill(ellipse(corner, (0.03, 0.022)), scaled(looks.skin, 0.35), 0.6, soft=0.015)
    below = shifted(spline(shape[[59, 58, 57, 56, 55]])[3:-3], 0, 0.05)
    canvas.stroke(below, scaled(looks.skin, 0.5), 0.05, 0.35, soft=0.03)


def _lips(shape: Points) -> tuple[Points, Points]:
    """The outlines of the upper and the lower lip."""
    inner_top, inner_bottom = spline(shape[60:65]), spline(shape[[60, 67, 66, 65, 64]])
    outer_top, outer_bottom = spline(shape[48:55]), spline(shape[[48, 59, 58, 57, 56, 55, 54]])
    return np.concatenate([outer_top, inner_top[::-1]]), np.concatenate([inner_bottom, outer_bottom[::-1]])


def _paint_inside(canvas: Canvas, shape: Points, gap: float, action_units: Mapping[str, float]) -> None:
    top, bottom = spline(shape[60:65]), spline(shape[[60, 67, 66, 65, 64]])
    opening = np.concatenate([top, bottom[::-1]])
    canvas.fill(opening, _MOUTH_INSIDE)
    middle, half = (shape[60] + shape[64]) / 2, (shape[64, 0] - shape[60, 0]) / 2
    if gap > 0.14:
        canvas.fill(
            ellipse((middle[0], shape[66, 1] - 0.02), (half * 0.6, gap * 0.35)),
            _TONGUE,
            soft=0.02,
            within=opening,
        )
    # Raising the upper lip bares the upper teeth, dropping the jaw hides them in the dark of the mouth.
    smile = (action_units["AU12L"] + action_units["AU12R"]) / 2
    lifted = max(action_units["AU10"], smile, 0.7 * action_units["AU20"])
    bared = 0.025 + 0.12 * lifted
    # Teeth curve back into the dark towards the corners of the mouth.
    arch = 1 - np.abs((top[:, :1] - middle[0]) / half).clip(0, 1) ** 3
    teeth = np.concatenate([top - (0, 0.05), (top + arch * (0, bared))[::-1]])
    canvas.fill(teeth, scaled(_TEETH, 0.7 + 0.3 * lifted), 0.55 + 0.4 * lifted, soft=0.008, within=opening)
    if max(action_units["AU20"], action_units["AU10"]) > 0.45:
        lower_teeth = np.concatenate([shifted(bottom, 0, 0.05), (bottom - arch * (0, 0.06))[::-1]])
        canvas.fill(lower_teeth, scaled(_TEETH, 0.85), 0.85, soft=0.006, within=opening)
    between = middle[0] + _TOOTH_GAPS * half
    ends = np.broadcast_to([top[:, 1].min(), top[:, 1].max() + bared], (len(between), 2))
    gaps = np.stack([np.broadcast_to(between[:, None], ends.shape), ends], axis=-1)
    canvas.stroke(gaps, (120, 100, 90), 0.008, 0.35, within=teeth)
    canvas.stroke(shifted(top, 0, 0.012), (30, 10, 10), 0.03, 0.5, soft=0.012, within=opening)


def paint_glasses(canvas: Canvas, shape: Points, looks: Looks) -> None:
    """Frames, clear or dark lenses, and a reflection."""
    wear = looks.wear
    if wear.glasses == "none":
        return
    centres = [
        shifted(shape[RIGHT_EYE].mean(axis=0), -0.02, 0.05),
        shifted(shape[LEFT_EYE].mean(axis=0), 0.02, 0.05),
    ]
    for centre, ear, side in zip(centres, (shape[0], shape[16]), (-1, 1), strict=True):
        lens = centre + _RIM * wear.lens_size
        if wear.glasses == "dark":
            canvas.fill(lens, (25, 22, 22), 0.88)
        canvas.fill(
            ellipse(shifted(centre, 0.08, -0.08), (0.06, 0.1), 0.5),
            (255, 255, 255),
            0.16,
            soft=0.03,
            within=lens,
        )
        canvas.stroke(lens, wear.frame_colour, wear.frame_width, 0.95)
        hinge = shifted(centre, side * wear.lens_size * 1.15, -0.06)
        canvas.stroke(np.array([hinge, shifted(ear, 0, -0.08)]), wear.frame_colour, wear.frame_width, 0.9)
    bridge = np.array(
        [
            shifted(centres[0], wear.lens_size * 1.1, -0.05),
            (0, centres[0][1] - 0.1),
            shifted(centres[1], -wear.lens_size * 1.1, -0.05),
        ]
    )
    canvas.stroke(spline(bridge), wear.frame_colour, wear.frame_width, 0.95)
