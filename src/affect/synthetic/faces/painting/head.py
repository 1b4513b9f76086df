"""Painting what surrounds the features: neck and clothes, ears, skin, hair, headwear."""

import numpy as np
from numpy.typing import NDArray

from affect.core.opencv import cv2
from affect.synthetic.faces.camera.sampling import look_up
from affect.synthetic.faces.painting.canvas import EXTENT, ORIGIN, Canvas, ellipse, mix, scaled, spline
from affect.synthetic.faces.person.anatomy import JAW, Points, shifted
from affect.synthetic.faces.person.looks import Looks

_CROWN = -1.32
_LONG = 0.2
_STRANDS_A_UNIT = 36


def dome(shape: Points, height: float, widen: float) -> Points:
    """The (25, 2) outline of the skull from the image's left ear over the top to its right ear.

    shape: (68, 2) landmarks in face units. height: of the crown over that of a bald head, in face units. widen: how far
    beyond the ears the sides lie.
    """
    angles = np.linspace(np.pi, 0, 25)
    left, right = shape[0], shape[16]
    middle, half = (left[0] + right[0]) / 2, (right[0] - left[0]) / 2 + widen
    across = np.sign(np.cos(angles)) * np.abs(np.cos(angles)) ** 0.85
    top = _CROWN - height
    return np.stack([middle + half * across, top * np.sin(angles) ** 0.9 + 0.02], axis=1)


def head_outline(shape: Points) -> Points:
    """The outline of the face and the bald skull."""
    return np.concatenate([spline(shape[JAW])[::-1], dome(shape, 0.0, 0.0)])


def paint_body(canvas: Canvas, shape: Points, looks: Looks) -> None:
    """Neck, shadow under the chin, and clothes."""
    jaw, chin = shape[12], shape[8]
    shadowed = scaled(looks.skin, 0.72)
    left, right = -jaw[0] * 0.85, jaw[0] * 0.85
    neck = np.array([[left, 0.9], [right, 0.9], [right, 2.1], [right + 0.9, 2.6], [left - 0.9, 2.6], [left, 2.1]])
    canvas.fill(neck, shadowed)
    canvas.fill(ellipse((0, chin[1] + 0.1), (jaw[0], 0.22)), scaled(looks.skin, 0.45), 0.6, soft=0.08)
    top = chin[1] + 0.25 + 0.25 * looks.wear.collar
    collar = [[-2.2, top + 0.35], [left - 0.15, top], [0, top + 0.35], [right + 0.15, top], [2.2, top + 0.35]]
    clothes = np.array([*collar, [2.2, 2.6], [-2.2, 2.6]])
    canvas.fill(clothes, looks.wear.clothes_colour)
    canvas.stroke(np.array(collar[1:4]), scaled(looks.wear.clothes_colour, 0.6), 0.05)


def paint_skin(canvas: Canvas, shape: Points, looks: Looks) -> None:
    """Ears and the bare head."""
    for side in (0, 16):
        out = -1 if side == 0 else 1
        centre = shifted(shape[side], 0.06 * out, 0.15)
        canvas.fill(ellipse(centre, (0.15, 0.33), 0.15 * out), scaled(looks.skin, 0.9))
        canvas.fill(
            ellipse(shifted(centre, 0.01 * out, 0.0), (0.07, 0.2), 0.15 * out),
            scaled(looks.skin, 0.6),
            0.6,
            soft=0.03,
        )
    canvas.fill(head_outline(shape), looks.skin)


def paint_complexion(canvas: Canvas, shape: Points, looks: Looks, grain: NDArray[np.float32]) -> None:
    """Blood, shadows and hair roots under the skin: cheeks, nose, eye sockets, freckles, stubble."""
    red = mix(looks.skin, (190, 60, 50), 0.4)
    for eye, corner in ((shape[36:42], shape[48]), (shape[42:48], shape[54])):
        middle = eye.mean(axis=0)
        cheek = shifted((middle + corner) / 2, 0.14 * np.sign(middle[0]), 0.0)
        canvas.fill(ellipse(cheek, (0.22, 0.18)), red, 0.45 * looks.redness, soft=0.1)
        socket = scaled(mix(looks.skin, (90, 50, 60), 0.35), 0.8)
        canvas.fill(
            ellipse(shifted(middle, 0, 0.02), (0.26, 0.16)),
            socket,
            0.25 + 0.35 * looks.socket_depth,
            soft=0.07,
        )
        bag = shifted(middle, 0, 0.2)
        canvas.fill(ellipse(bag, (0.18, 0.05)), socket, 0.15 + 0.4 * looks.age, soft=0.04)
    canvas.fill(ellipse(shape[30], (0.14, 0.12)), red, 0.35 * looks.redness, soft=0.06)
    if looks.freckles:
        spots = np.clip(grain - 1.6, 0, 1)
        canvas.fill(ellipse((0, 0.5), (0.8, 0.3)), scaled(looks.skin, 0.6), looks.freckles, soft=0.12, texture=spots)


def paint_facial_hair(canvas: Canvas, shape: Points, looks: Looks, grain: NDArray[np.float32]) -> None:
    """Stubble, beard and moustache; they leave the lips free."""
    colour = mix(looks.hair.colour, scaled(looks.skin, 0.5), 0.15)
    jaw = spline(shape[2:15])
    upper = np.array(
        [
            shape[14] * 0.97,
            shifted(shape[54], 0.14, -0.05),
            shifted(shape[35], 0.1, 0.1),
            shifted(shape[33], 0, 0.09),
        ]
    )
    upper = np.concatenate([upper, upper[-2::-1] * (-1, 1)])
    cheeks = np.concatenate([jaw, spline(upper)])
    rough = np.clip(0.9 + 0.28 * grain, 0.1, 1.3).astype(np.float32)
    if looks.stubble:
        canvas.fill(cheeks, colour, 0.5 * looks.stubble, soft=0.07, texture=rough)
    if looks.beard:
        low = np.concatenate([jaw * (1.02, 1.03), spline(shifted(upper, 0, 0.12))])
        canvas.fill(low, colour, looks.beard, soft=0.04, texture=rough)
    if looks.moustache:
        _paint_moustache(canvas, shape, looks, rough)


def _paint_moustache(canvas: Canvas, shape: Points, looks: Looks, rough: NDArray[np.float32]) -> None:
    top, lip = shifted(shape[33], 0, 0.07), shifted(shape[51], 0, 0.0)
    left, right = shifted(shape[48], -0.03, 0.0), shifted(shape[54], 0.03, 0.0)
    upper = np.array(
        [left, shifted((left + top) / 2, -0.02, -0.06), top, shifted((right + top) / 2, 0.02, -0.06), right]
    )
    lower = np.array([right, shifted(shape[53], 0, -0.005), lip, shifted(shape[49], 0, -0.005), left])
    outline = np.concatenate([spline(upper), spline(lower)])
    canvas.fill(outline, looks.hair.colour, looks.moustache, soft=0.025, texture=rough)


def hair_paint(rng: np.random.Generator, canvas: Canvas, looks: Looks) -> NDArray[np.uint8]:
    """The hair's colour in light and dark strands, over the whole canvas.

    Strands follow the skull round the top and hang down at the sides, or radiate from the parting.
    """
    nodes, wide = 64, canvas.pixels.shape[0]
    steps = (np.arange(nodes) + 0.5) * EXTENT / nodes
    x, y = np.meshgrid(ORIGIN[0] + steps - looks.hair.parting * 0.5, ORIGIN[1] + steps - 0.1)
    above = np.minimum(y, 0.0)
    around, radius = np.arctan2(x, 0.05 - above), np.hypot(x, above)
    across = radius if looks.hair.length > _LONG else around
    place = np.stack([across * _STRANDS_A_UNIT, (around + y) * 2], axis=-1).astype(np.float32)
    noise = np.frombuffer(rng.bytes(256 * 16), np.uint8).reshape(16, 256)
    fine = np.asarray(cv2.resize(place, (wide, wide)), np.float32)
    streaks = look_up(noise, fine, cv2.BORDER_WRAP)
    factors = 1 + looks.hair.strands * np.linspace(-1, 1, 256)
    shades = np.clip(np.outer(factors, [*looks.hair.colour, 0]), 0, 255).astype(np.uint8)
    shades[:, 3] = 255
    return np.asarray(cv2.LUT(cv2.merge([streaks] * 4), shades[None]), np.uint8)


def paint_hair_behind(canvas: Canvas, shape: Points, looks: Looks) -> None:
    """Hair that the head hides: the outer dome, and what falls behind the neck."""
    hair = looks.hair
    if hair.coverage == "bald":
        return
    widen = 0.05 + hair.volume * 0.7
    top = dome(shape, hair.volume if hair.coverage == "full" else 0.0, widen if hair.coverage == "full" else 0.02)
    bottom = max(hair.length, 0.1)
    flare = 0.15 * max(hair.length, 0)
    right = shifted(top[-1], flare, 0)
    sides = np.array([[right[0], bottom - 0.2], [right[0] * 0.9, bottom], [0, bottom + 0.1]])
    sides = np.concatenate([sides, sides[1::-1] * (-1, 1)])
    canvas.fill(np.concatenate([top, sides]), scaled(hair.colour, 0.75))


def paint_hair_in_front(canvas: Canvas, shape: Points, looks: Looks, paint: NDArray[np.uint8]) -> None:
    """The hair over the forehead and beside the face, from the hairline outwards."""
    hair = looks.hair
    if hair.coverage == "bald":
        return
    full = hair.coverage == "full"
    outer = dome(shape, hair.volume if full else 0.0, (0.05 + hair.volume * 0.7) if full else 0.03)
    ear = shape[16][0]
    line = _hairline(hair.hairline if full else -1.15, hair.parting, ear, full)
    canvas.stroke(spline(line), scaled(looks.skin, 0.5), 0.1, 0.35, soft=0.05)
    canvas.fill(np.concatenate([outer, spline(line)[::-1]]), paint, soft=0.015)
    if hair.length > _LONG:
        _paint_locks(canvas, shape, looks, paint)
    if hair.fringe and full:
        _paint_fringe(canvas, shape, looks, paint)


def _hairline(top: float, parting: float, ear: float, full: bool) -> Points:
    temple = 0.9 if full else 0.97
    return np.array(
        [
            *([-ear * 1.03, 0.1], [-ear * 0.97, -0.25], [-ear * temple, -0.5]),
            *([-ear * 0.7, top * 0.88], [parting * 0.5, top], [ear * 0.7, top * 0.88]),
            *([ear * temple, -0.5], [ear * 0.97, -0.25], [ear * 1.03, 0.1]),
        ]
    )


def _paint_locks(canvas: Canvas, shape: Points, looks: Looks, paint: NDArray[np.uint8]) -> None:
    """Long hair falling in front of the ears."""
    hair = looks.hair
    ear, out = shape[16][0], 0.08 + hair.volume * 0.7 + 0.15 * hair.length
    inner = 0.98 - 0.06 * hair.volume
    for side in (-1, 1):
        edge = [
            [ear * 0.75, -0.72],
            [ear * (inner - 0.04), -0.4],
            [ear * inner, 0.2],
            [ear * (inner + 0.02), hair.length],
        ]
        tip = [[ear * (inner + 0.1), hair.length + 0.12], [ear + out * 0.8, hair.length]]
        far = [*tip, [ear + out, hair.length - 0.25], [ear + out * 0.8, 0.2], [ear + out * 0.5, -0.5]]
        lock = spline(np.array(edge + far)) * (side, 1)
        canvas.fill(lock, paint, soft=0.015)


def _paint_fringe(canvas: Canvas, shape: Points, looks: Looks, paint: NDArray[np.uint8]) -> None:
    hair = looks.hair
    low = hair.hairline + (shape[19][1] - 0.02 - hair.hairline) * hair.fringe
    places = np.linspace(-0.85, 0.85, 9)
    tips = low + 0.08 * np.cos(places * 9 + hair.parting * 20) + 0.12 * np.abs(places - hair.parting)
    bottom = np.stack([places * shape[16][0], tips], axis=1)
    top = np.array([[shape[16][0] * 0.85, -0.9], [0, -1.2], [-shape[16][0] * 0.85, -0.9]])
    canvas.fill(np.concatenate([spline(bottom, 3), top]), paint, 0.96, soft=0.015)


def paint_headwear(canvas: Canvas, shape: Points, looks: Looks) -> None:
    """A cap or a headscarf."""
    colour = looks.wear.headwear_colour
    ear = shape[16][0]
    if looks.wear.headwear == "cap":
        top = dome(shape, 0.22, 0.1)
        band = np.array(
            [[ear * 1.05, -0.55], [ear * 0.6, -0.78], [0, -0.85], [-ear * 0.6, -0.78], [-ear * 1.05, -0.55]]
        )
        crown = top[(top[:, 1] < -0.5)]
        canvas.fill(np.concatenate([crown, spline(band)]), colour)
        brim = np.concatenate([spline(band), spline(shifted(band[::-1] * (1, 0.85), 0, 0.02))])
        canvas.fill(brim, scaled(colour, 0.6))
        canvas.fill(ellipse((0, -0.6), (0.85, 0.16)), scaled(looks.skin, 0.3), 0.35, soft=0.08)
    elif looks.wear.headwear == "scarf":
        outer = np.concatenate([dome(shape, 0.2, 0.3), [[2.0, 2.6], [-2.0, 2.6]]])
        opening = np.concatenate([spline(shape[1:16]) * 0.97, (dome(shape, -0.45, -0.08))[::-1]])
        ring = np.concatenate([outer, outer[:1], opening[:1], opening[::-1], opening[:1], outer[:1]])
        canvas.fill(ring, colour)
        canvas.stroke(np.concatenate([opening, opening[:1]]), scaled(colour, 0.5), 0.06, 0.8, soft=0.02)
