"""Scenes of several drawn people, and what is true of each face."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from affect.core.opencv import cv2
from affect.core.rng import rng_for
from affect.data.images.cropping import Box
from affect.synthetic.faces import Face, render_face

SEED = 77
GREY = 150
# Places that are tried for a person before a scene is taken as full.
TRIES = 100


@dataclass(frozen=True)
class Scene:
    """A (height, width, 3) scene on a grey wall, its people, and the squares that they were drawn in."""

    image: np.ndarray
    faces: list[Face]
    squares: list[Box]


def keep(image: np.ndarray, number: int) -> np.ndarray:
    """Return a person's picture as it was drawn."""
    return image


def draw_scene(
    width: int,
    height: int,
    places: Sequence[tuple[int, int, int]],
    first_id: int = 0,
    alter: Callable[[np.ndarray, int], np.ndarray] = keep,
) -> Scene:
    """Draw people into a scene.

    places: left, top and side of each, in pixels; a square may reach beyond the scene. alter: what is done to a
    person's picture before it is hung on the wall, given the person's id.
    """
    scene = rng_for(SEED, "wall", first_id).normal(GREY, 6, (height, width, 3)).clip(0, 255).astype(np.uint8)
    faces = []
    for id, (left, top, side) in enumerate(places, first_id):
        face = render_face(SEED, id, id % 8, side)
        rows, columns = slice(max(top, 0), min(top + side, height)), slice(max(left, 0), min(left + side, width))
        altered = alter(face.image, id)
        scene[rows, columns] = altered[rows.start - top : rows.stop - top, columns.start - left : columns.stop - left]
        faces.append(face)
    return Scene(scene, faces, [Box(left, top, side, side) for left, top, side in places])


def choose_places(
    width: int, height: int, sides: tuple[int, int], first_id: int, outside: float = 0.0
) -> list[tuple[int, int, int]]:
    """Choose where one to six people of so many pixels stand, none over another.

    outside: the share of each square that lies to the left of the scene; then they stand there alone.
    """
    draws = rng_for(SEED, "places", first_id)
    wanted = int(draws.integers(1, 7))
    places: list[tuple[int, int, int]] = []
    for _ in range(TRIES):
        side = int(draws.integers(sides[0], sides[1] + 1))
        left = -round(outside * side) if outside else int(draws.integers(0, width - side))
        top = int(draws.integers(0, height - side))
        if all(left + side < x or x + s < left or top + side < y or y + s < top for x, y, s in places):
            places.append((left, top, side))
        if len(places) == wanted:
            break
    return places


def turn(image: np.ndarray, degrees: float) -> np.ndarray:
    """Turn a square picture about its middle."""
    middle = (image.shape[1] - 1) / 2, (image.shape[0] - 1) / 2
    warp = cv2.getRotationMatrix2D(middle, degrees, 1.0)
    return cv2.warpAffine(image, warp, image.shape[1::-1], flags=cv2.INTER_LINEAR, borderValue=(GREY, GREY, GREY))


def holds(square: Box, box: Box) -> bool:
    """Whether the middle of a box lies in the inner half of a square."""
    across, down = box.left + box.width / 2 - square.left, box.top + box.height / 2 - square.top
    return 0.25 * square.width < across < 0.75 * square.width and 0.25 * square.height < down < 0.75 * square.height
