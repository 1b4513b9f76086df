"""Scenes of several drawn people, and what is true of each face."""

from collections.abc import Sequence

import numpy as np

from affect.core.rng import rng_for
from affect.data.images.cropping import Box
from affect.synthetic.faces import Face, render_face

SEED = 77


def draw_scene(
    width: int, height: int, places: Sequence[tuple[int, int, int]], first_id: int = 0
) -> tuple[np.ndarray, list[Face], list[Box]]:
    """Return a (height, width, 3) scene on a grey wall, its people, and the squares that they were drawn in.

    places: left, top and side of each, in pixels; a square may reach beyond the scene.
    """
    wall = rng_for(SEED, "wall", first_id).normal(150, 6, (height, width, 3))
    scene = wall.clip(0, 255).astype(np.uint8)
    faces = []
    for number, (left, top, side) in enumerate(places):
        face = render_face(SEED, first_id + number, (first_id + number) % 8, side)
        rows, columns = slice(max(top, 0), min(top + side, height)), slice(max(left, 0), min(left + side, width))
        scene[rows, columns] = face.image[
            rows.start - top : rows.stop - top, columns.start - left : columns.stop - left
        ]
        faces.append(face)
    return scene, faces, [Box(left, top, side, side) for left, top, side in places]
