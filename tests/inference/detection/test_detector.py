"""Faces of all sizes are found once, where they are, from left to right."""

import numpy as np
import pytest
from scenes import draw_scene, holds

from affect.inference.detection import FaceDetector
from affect.inference.detection.detector import THRESHOLD

GROUP = [(40, 60, 96), (200, 300, 160), (430, 40, 220), (800, 420, 120), (1100, 100, 150)]


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector()


def test_a_group_is_found_from_left_to_right(detector: FaceDetector) -> None:
    scene = draw_scene(1280, 720, GROUP)
    found = detector.detect(scene.image)
    assert len(found) == len(GROUP)
    assert all(holds(square, face.box) for square, face in zip(scene.squares, found, strict=True))
    assert all(THRESHOLD <= face.score <= 1 for face in found)


def test_landmarks_are_those_of_the_face(detector: FaceDetector) -> None:
    scene = draw_scene(640, 480, [(180, 100, 260)], first_id=9)
    (found,) = detector.detect(scene.image)
    landmarks = scene.faces[0].landmarks + np.array([scene.squares[0].left, scene.squares[0].top])
    eyes = [landmarks[36:42].mean(axis=0), landmarks[42:48].mean(axis=0)]
    expected = np.array([*eyes, landmarks[30], landmarks[48], landmarks[54]])
    assert np.abs(found.landmarks - expected).max() < 0.1 * found.box.width


def test_a_small_face_beside_one_that_fills_the_picture(detector: FaceDetector) -> None:
    """Either alone is found in one pass; the small one is lost in the small picture, the large one in the large."""
    scene = draw_scene(1400, 900, [(100, 60, 800), (1150, 400, 56)], first_id=2)
    found = detector.detect(scene.image)
    assert len(found) == 2
    assert all(holds(square, face.box) for square, face in zip(scene.squares, found, strict=True))
    assert len(FaceDetector(large=None).detect(scene.image)) == 1


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 900, 3), (480, 640, 3), (4320, 7680, 3)])
def test_there_is_no_face_in_a_wall(detector: FaceDetector, shape: tuple[int, int, int]) -> None:
    wall = np.linspace(0, 255, shape[1], dtype=np.uint8)
    assert detector.detect(np.broadcast_to(wall[None, :, None], shape).copy()) == []
