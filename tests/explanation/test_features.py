"""Features in a plane, faces that are alike, and mean faces."""

import keras
import numpy as np
import pytest

from affect.explanation import Explanation
from affect.explanation.features import compute_features, find_neighbours, project
from affect.explanation.pictures.mean_faces import MIN_FACES, average
from affect.explanation.regions.locating import DATASET, LocatedFace
from affect.explanation.study.columns import Columns, find_above_area
from affect.explanation.study.means import average as average_columns
from affect.explanation.study.sheets import show_mean_faces
from affect.synthetic.faces import render_face


def test_neighbours_are_others_even_among_equals() -> None:
    features = np.array([[0.0, 0], [0, 0], [0, 0], [5, 5], [5.5, 5], [9, 9]])
    found = find_neighbours(features, 2)
    for place, near in enumerate(found):
        assert place not in near
        assert len(set(near)) == 2
    assert set(found[0]) == {1, 2}
    assert found[3][0] == 4


def test_a_face_whose_numbers_are_large_is_as_near_to_its_like_as_any() -> None:
    image = keras.Input((3,))
    shared = keras.layers.Dense(3, name="shared", kernel_initializer="identity", use_bias=False)(image)
    model = keras.Model(image, shared)
    images = np.array([[1, 2, 0], [100, 200, 0], [0, 0, 1], [0, 0, 0]], np.float32)
    features = compute_features(model, [images[:3], images[3:]])
    np.testing.assert_allclose(features[1], features[0], atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(features, axis=1), [1, 1, 1, 0], atol=1e-6)


def test_the_plane_holds_most_of_what_varies() -> None:
    rng = np.random.default_rng(1)
    features = (rng.normal(size=(50, 2)) @ np.array([[3.0, 0, 0, 1], [0, 1, 0, 0]])).astype(np.float32)
    places, variance = project(features)
    assert places.shape == (50, 2)
    assert variance.sum() == pytest.approx(1)
    in_full, in_plane = (np.linalg.norm(each[0] - each[1:], axis=1) for each in (features, places))
    np.testing.assert_allclose(in_full, in_plane, atol=1e-4)


def test_a_turned_and_shrunk_face_is_averaged_where_it_belongs() -> None:
    size = 96
    face = render_face(3, 1, 1, size)
    turn = 0.2
    matrix = 0.8 * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    moved = face.landmarks @ matrix.T + (20, 2)
    picture = np.zeros((size, size), np.float32)
    picture[40:60, 40:60] = 1
    inverse = np.linalg.inv(matrix)
    rows, columns = np.indices((size, size))
    places = (np.stack([columns, rows], axis=-1) - (20, 2)) @ inverse.T
    inside = (places >= 39.5).all(axis=-1) & (places < 59.5).all(axis=-1)
    moved_picture = np.where(inside, np.float32(1), np.float32(0))
    found = average([moved_picture, picture], [moved, face.landmarks], face.landmarks)
    assert np.abs(found - picture).mean() < 0.01


def test_a_mean_of_few_faces_is_left_out() -> None:
    """The page with the mean faces is for git: nobody should be recognised in them."""
    size, count = 32, 2 * MIN_FACES - 1
    faces = [render_face(5, id, int(id >= MIN_FACES), size) for id in range(count)]
    images = np.stack([face.image for face in faces])
    maps = np.random.default_rng(2).normal(size=(count, 8, 8)).astype(np.float32)
    expressions = np.array([face.expression for face in faces])
    explanation = Explanation({"emotion": np.eye(8)[expressions]}, expressions, {"hirescam": {"emotion": maps}})
    located = [LocatedFace(face.landmarks, DATASET) for face in faces]
    one = show_mean_faces(explanation, {"emotion": "hirescam"}, images, located)
    assert one is not None
    assert one.width < 200
    assert show_mean_faces(explanation, {"emotion": None}, images, located) is None
    assert show_mean_faces(explanation, {"emotion": "hirescam"}, images, [None] * count) is None


def test_a_part_stands_out_where_its_own_images_have_more_of_the_map_than_of_its_area() -> None:
    """Not beside the mean area of all images, of which half have a large mouth."""
    large = np.repeat([0.1, 0.5], 20)
    noise = np.random.default_rng(1).normal(0, 0.01, 40)
    columns: Columns = {("regions", "area", "mouth"): large, ("regions", "area", "eyes"): np.full(40, 0.1)}
    of_happy = np.where(large > 0.3, 1.0, np.nan)
    columns["regions", "emotion", "happy", "mouth"] = (large + noise) * of_happy
    columns["regions", "emotion", "happy", "expected"] = np.ones(40)
    columns["regions", "emotion", "all", "mouth"] = large + 0.1 + noise
    columns["regions", "emotion", "all", "eyes"] = 0.1 + noise
    found = find_above_area(columns, 400, 1)
    assert found == {"emotion": {"happy": [], "all": ["mouth"]}}
    assert find_above_area({}, 400, 1) == {}


def test_means_are_of_what_is_known_and_stand_where_their_path_says() -> None:
    known = np.array([1.0, 2, 3, np.nan] * 10)
    tree = average_columns({("a", "b"): known, ("a", "none"): np.full(40, np.nan)}, 400, 1)
    assert tree["a"] == {"b": 2.0}
    low, high = tree["intervals"]["a"]["b"]
    assert 1.5 < low < 2 < high < 2.5
    assert "none" not in tree["intervals"]["a"]
