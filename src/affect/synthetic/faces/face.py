"""A drawn face with everything that is known about it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from affect.core.opencv import cv2
from affect.core.rng import rng_for
from affect.synthetic.faces.camera.photograph import develop, occlude, paint_background
from affect.synthetic.faces.camera.pose import Camera, Pose, frame_face, rotation, sample_pose
from affect.synthetic.faces.camera.sampling import look_up
from affect.synthetic.faces.painting import features, head
from affect.synthetic.faces.painting.canvas import Canvas
from affect.synthetic.faces.painting.folds import face_relief
from affect.synthetic.faces.painting.relief import sample_light, shade
from affect.synthetic.faces.person.anatomy import Points, move, resting_shape, sample_identity
from affect.synthetic.faces.person.expressions import ShownExpression, sample_expression
from affect.synthetic.faces.person.looks import Looks, sample_looks

# Canvas pixels for each pixel of the picture: the canvas shows more than the crop does.
_CANVAS_SHARE = 1.2
_ROUGHNESS = np.float32(0.018)
# Factors of light are bytes: this one stands for 1.
_UNIT_FACTOR = 120
_SHADOW_TINTS = [
    np.rint(_UNIT_FACTOR * (np.arange(256) / _UNIT_FACTOR) ** power).clip(0, 255).astype(np.uint8)
    for power in (0.88, 1.0, 1.06)
]


@dataclass(frozen=True)
class Face:
    """A picture of a face and its labels.

    image: (size, size, 3) uint8 RGB. expression: 0-7, in the order of `affect.core.labels.EXPRESSIONS`. valence: in
    [-1, 1]. arousal: in [-1, 1]. action_units: intensity in [0, 1] of every name in `ACTION_UNITS`, in its order.
    landmarks: (68, 2) positions (x, y) in pixels, iBUG 300-W order. attributes: what else was drawn, by name; glasses:
    none, clear or dark. headwear: none, cap or scarf. facial_hair: none, stubble, moustache or beard. skin_tone: light,
    medium or dark. age: how far skin and hair have aged, in [0, 1]. yaw: degrees to the image's right.
    """

    image: NDArray[np.uint8]
    expression: int
    valence: float
    arousal: float
    action_units: dict[str, float]
    landmarks: NDArray[np.float64]
    attributes: dict[str, str | float]


def render_face(seed: int, face_id: int, expression: int, size: int, expressiveness: float = 1.0) -> Face:
    """Draw a face. The same arguments give the same face, whatever else is drawn.

    seed: of the whole sample. face_id: which face of it. expression: 0-7, in the order of
    `affect.core.labels.EXPRESSIONS`. size: width and height of the picture in pixels; 64 to 224 is what it is made for.
    expressiveness: factor of the intensity of what shows the expression. Raises ValueError where the expression is not
    one of the eight.
    """
    rng = rng_for(seed, "face", face_id)
    shown = sample_expression(rng, expression, expressiveness)
    shape = move(resting_shape(sample_identity(rng)), shown.action_units)
    looks = sample_looks(rng)
    pose = sample_pose(rng)
    camera = frame_face(rng, pose, shape, size)
    canvas = _paint(rng, shape, looks, shown, camera)
    picture = _photograph(rng, canvas, camera)
    landmarks = camera.project(shape)
    occlude(rng, picture, landmarks)
    image = develop(rng, picture)
    attributes = _name_attributes(looks, pose)
    return Face(image, expression, shown.valence, shown.arousal, shown.action_units, landmarks, attributes)


def landmarks_at_rest(
    seed: int, face_id: int, expression: int, size: int, expressiveness: float = 1.0
) -> NDArray[np.float64]:
    """Return where the landmarks of a face that `render_face` draws would lie in its picture without its action units.

    (68, 2) positions (x, y) in pixels; their distance to `Face.landmarks` is what the expression has moved.
    """
    rng = rng_for(seed, "face", face_id)
    shown = sample_expression(rng, expression, expressiveness)
    rest = resting_shape(sample_identity(rng))
    sample_looks(rng)
    return frame_face(rng, sample_pose(rng), move(rest, shown.action_units), size).project(rest)


def _name_attributes(looks: Looks, pose: Pose) -> dict[str, str | float]:
    return {
        "glasses": looks.wear.glasses,
        "headwear": looks.wear.headwear,
        "facial_hair": looks.facial_hair,
        "skin_tone": looks.skin_tone,
        "age": looks.age,
        "yaw": float(np.degrees(pose.yaw)),
    }


def _paint(rng: np.random.Generator, shape: Points, looks: Looks, shown: ShownExpression, camera: Camera) -> Canvas:
    """The head from the front, lit as the pose will have it."""
    canvas = Canvas(round(camera.size * _CANVAS_SHARE))
    wide = canvas.pixels.shape[0]
    grain = _grain(rng, wide)
    hair = head.hair_paint(rng, canvas, looks)
    x, y = np.clip(rng.normal(0, (0.035, 0.015)), -0.08, 0.08)
    gaze = (float(x), float(y))
    head.paint_hair_behind(canvas, shape, looks)
    head.paint_body(canvas, shape, looks)
    head.paint_skin(canvas, shape, looks)
    head.paint_complexion(canvas, shape, looks, grain)
    head.paint_facial_hair(canvas, shape, looks, grain)
    features.paint_nose(canvas, shape, looks)
    features.paint_eyes(canvas, shape, looks, gaze)
    features.paint_mouth(canvas, shape, looks, shown.action_units)
    features.paint_brows(canvas, shape, looks, grain)
    head.paint_hair_in_front(canvas, shape, looks, hair)
    head.paint_headwear(canvas, shape, looks)
    light = sample_light(rng)
    light.direction = light.direction @ rotation(camera.pose)
    diffuse, gloss = shade(face_relief(shape, looks, shown.action_units).heights(), light)
    mottled = cv2.resize(rng.normal(1, 0.035, (12, 12)).astype(np.float32), diffuse.shape)
    _apply_light(canvas, diffuse * mottled, gloss, grain)
    features.paint_catchlights(canvas, shape, gaze, float(np.sign(light.direction[0])))
    features.paint_glasses(canvas, shape, looks)
    return canvas


def _grain(rng: np.random.Generator, wide: int) -> NDArray[np.float32]:
    """Fine irregularities of skin and hair: (wide, wide), about standard normal."""
    noise = np.frombuffer(rng.bytes(wide * wide), np.uint8).reshape(wide, wide).astype(np.float32)
    smooth = cv2.blur(noise - np.float32(127.5), (3, 3))
    return np.asarray(smooth * np.float32(1 / 24.6), np.float32)


def _apply_light(
    canvas: Canvas, diffuse: NDArray[np.float32], gloss: NDArray[np.float32], grain: NDArray[np.float32]
) -> None:
    wide = canvas.pixels.shape[0]
    factor = cv2.multiply(cv2.resize(diffuse, (wide, wide)), 1 + _ROUGHNESS * grain)
    factor = cv2.convertScaleAbs(factor, alpha=_UNIT_FACTOR)
    sheen = cv2.convertScaleAbs(cv2.resize(gloss, (wide, wide)), alpha=255)
    sheen = cv2.multiply(canvas.pixels[..., 3], sheen, scale=1 / 255)
    unchanged, nothing = np.full_like(factor, _UNIT_FACTOR), np.zeros_like(sheen)
    # Light that has travelled through skin is red: shadows are warmer than lights.
    tinted = [cv2.LUT(factor, table) for table in _SHADOW_TINTS]
    lit = cv2.multiply(canvas.pixels, cv2.merge([*tinted, unchanged]), scale=1 / _UNIT_FACTOR)
    canvas.pixels[:] = cv2.add(lit, cv2.merge([sheen, sheen, sheen, nothing]))


def _photograph(rng: np.random.Generator, canvas: Canvas, camera: Camera) -> NDArray[np.uint8]:
    """See the turned head before a background: (size, size, 3) RGB."""
    seen = look_up(canvas.pixels, canvas.to_pixels(camera.frontal_map()))
    red, green, blue, cover = cv2.split(seen)
    behind = cv2.bitwise_not(cover)
    room = cv2.multiply(paint_background(rng, camera.size), cv2.merge([behind] * 3), scale=1 / 255)
    return np.asarray(cv2.add(room, cv2.merge([red, green, blue])), np.uint8)
