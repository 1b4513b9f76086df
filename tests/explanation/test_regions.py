"""Parts of a face lie where they are, and what an expression changed is known of drawn faces."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import write_face
from hypothesis import given
from hypothesis import strategies as st

from affect.core.labels import EXPRESSIONS
from affect.data.images.cropping import Box, align_eyes, crop_square, letterbox, map_to_aligned, map_to_square
from affect.explanation.regions.action_units import EMFACS, EXPECTED
from affect.explanation.regions.changed import mark_changed
from affect.explanation.regions.division import REGIONS, complete_landmarks, divide
from affect.explanation.regions.landmarks import read_landmarks
from affect.explanation.regions.shares import hits, share_on, share_on_regions, weigh_evidence
from affect.plumbing.params import load_params
from affect.synthetic.faces import MEAN_SHAPE, landmarks_at_rest, render_face

SEED, SIZE = 9, 128
PARTS = {
    "brows": [*range(17, 27)],
    "eyes": [37, 38, 40, 41, 43, 44, 46, 47],
    "nose": [28, 29, 30],
    "mouth": [*range(48, 68)],
}


@pytest.mark.parametrize("id", range(16))
def test_each_landmark_lies_in_its_part(id: int) -> None:
    points = render_face(SEED, id, id % 8, SIZE).landmarks
    regions = divide(points, SIZE)
    assert regions.shape == (SIZE, SIZE)
    for part, numbers in PARTS.items():
        inside = [regions[y, x] for x, y in points[numbers].round().astype(int) if 0 <= x < SIZE and 0 <= y < SIZE]
        assert np.mean(np.array(inside) == REGIONS.index(part)) > 0.85, part
    cheek = (points[1] + points[30] + points[48]) / 3
    chin = (points[8] + points[57]) / 2
    for part, (x, y) in (("cheeks", cheek), ("jaw", chin)):
        assert REGIONS[regions[round(y), round(x)]] == part


@given(st.lists(st.floats(0.3, 2), min_size=2, max_size=2), st.floats(-0.5, 0.5), st.floats(-40, 40))
def test_five_points_of_a_stretched_mean_face_give_all_its_landmarks(
    scale: list[float], turn: float, shift: float
) -> None:
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    face = MEAN_SHAPE @ (20 * np.diag(scale) @ rotation) + shift
    five = np.stack([face[36:42].mean(axis=0), face[42:48].mean(axis=0), face[30], face[48], face[54]])
    np.testing.assert_allclose(complete_landmarks(five), face, atol=1e-6)


def test_a_face_far_outside_the_picture_is_all_background() -> None:
    points = render_face(SEED, 1, 1, SIZE).landmarks + 1e9
    assert (divide(points, SIZE) == REGIONS.index("background")).all()


def test_at_rest_a_face_is_the_same_but_for_what_muscles_move() -> None:
    """No action unit moves the upper jaw, the ridge of the nose or the inner corners of the eyes."""
    fixed = [0, 1, 2, 3, 13, 14, 15, 16, 28, 29, 39, 42]
    for id in range(8):
        face, rest = render_face(SEED, id, id, SIZE), landmarks_at_rest(SEED, id, id, SIZE)
        np.testing.assert_allclose(rest[fixed], face.landmarks[fixed], atol=1e-9)
        assert (np.abs(rest - face.landmarks).max() > 0.01) == any(face.action_units.values())


@pytest.mark.parametrize(("expression", "moved", "still"), [("happy", 48, 19), ("surprise", 19, 33), ("anger", 21, 33)])
def test_what_an_expression_moved_is_marked_and_nothing_else(expression: str, moved: int, still: int) -> None:
    number = EXPRESSIONS.index(expression)
    marked = []
    for id in range(12):
        face = render_face(SEED, id, number, SIZE, 1.2)
        mask = mark_changed(landmarks_at_rest(SEED, id, number, SIZE, 1.2), face.landmarks, SIZE)
        places = face.landmarks[[moved, still]].round().astype(int).clip(0, SIZE - 1)
        marked.append([mask[y, x] for x, y in places])
    assert np.mean(marked, axis=0)[0] > 0.8
    assert np.mean(marked, axis=0)[1] < 0.2


def test_nothing_is_marked_where_nothing_moved() -> None:
    points = render_face(SEED, 0, 0, SIZE).landmarks
    assert not mark_changed(points, points, SIZE).any()


def test_the_expected_parts_are_those_of_the_action_units() -> None:
    assert EMFACS.keys() == EXPECTED.keys() == set(EXPRESSIONS)
    assert EXPECTED["happy"] == {"eyes", "cheeks", "mouth"}
    assert not EXPECTED["neutral"]
    assert set().union(*EXPECTED.values()) <= set(REGIONS)


def test_shares_add_up_and_the_highest_place_is_a_hit_or_not() -> None:
    maps = np.array([[[-5.0, 1], [2, 1]], [[-1, -2], [-3, -4]]])
    regions = np.array([[[0, 1], [2, 2]]] * 2)
    evidence = weigh_evidence(maps, "emotion")
    shares = share_on_regions(evidence, regions)
    np.testing.assert_allclose(shares[0], [0, 0.25, 0.75, 0, 0, 0, 0, 0])
    assert np.isnan(shares[1]).all()
    np.testing.assert_allclose(share_on_regions(weigh_evidence(maps, "valence"), regions)[1, :3], [0.1, 0.2, 0.7])
    assert share_on(evidence, regions == 1)[0] == 0.25
    assert hits(evidence, regions == 2).tolist() == [True, False]


def dot(width: int, height: int, x: int, y: int) -> np.ndarray:
    image = np.zeros((height, width, 3), np.uint8)
    cv2.circle(image, (x, y), 4, (255, 255, 255), -1)
    return image


def find(square: np.ndarray) -> np.ndarray:
    weights = square[..., 0].astype(float)
    rows, columns = np.indices(weights.shape)
    return np.array([(columns * weights).sum(), (rows * weights).sum()]) / weights.sum()


@pytest.mark.parametrize(("width", "height"), [(100, 100), (160, 90), (61, 140)])
def test_a_point_goes_where_its_pixel_goes(width: int, height: int) -> None:
    point = np.array([[40.0, 50.0]])
    image = dot(width, height, 40, 50)
    whole = map_to_square(point, Box(0, 0, width, height), 64)[0]
    np.testing.assert_allclose(find(letterbox(image, 64)), whole, atol=1)
    box = Box(21.3, 30.8, 40.4, 35.9)
    np.testing.assert_allclose(find(crop_square(image, box, 64, 1.2)), map_to_square(point, box, 64, 1.2)[0], atol=1.5)
    landmarks = MEAN_SHAPE * 30 + (45, 42)
    np.testing.assert_allclose(find(align_eyes(image, landmarks, 64)), map_to_aligned(point, landmarks, 64)[0], atol=1)


def test_landmarks_of_a_dataset_are_read_where_they_are_there(tmp_path: Path) -> None:
    for id in range(3):
        write_face(tmp_path, id, id)
        points = np.arange(136.0) + id
        if id:
            np.save(tmp_path / "annotations" / f"{id}_lnd.npy", points[: 136 if id == 1 else 100])
    data = load_params(Path(__file__).parents[2] / "params.yaml").data.model_copy(update={"raw": str(tmp_path)})
    found = read_landmarks(data, {"0", "1", "2"})
    assert set(found) == {"1"}
    assert found["1"].points[0].tolist() == [1, 2]
    np.testing.assert_allclose(found["1"].map_to_square(np.array([[31.5, 31.5]]), 32), [[15.5, 15.5]])
    aligned = read_landmarks(data.model_copy(update={"align": "eyes"}), {"1"})["1"]
    eyes = [aligned.map_to_square(aligned.points[eye], 100).mean(axis=0) for eye in (slice(36, 42), slice(42, 48))]
    np.testing.assert_allclose(eyes, [[29.5, 37.5], [69.5, 37.5]])
    assert read_landmarks(data.model_copy(update={"layout": "folders"}), {"1"}) == {}
