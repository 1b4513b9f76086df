"""Copies of a picture are grouped; different faces are not, drawn ones included."""

from collections.abc import Callable

import cv2
import imagehash
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from affect.duplicates import group_duplicates, perceptual_hash
from affect.faces import draw_face
from params import load_params

DISTANCE = load_params().data.duplicate_distance


@pytest.fixture(scope="module")
def faces() -> list[np.ndarray]:
    return [draw_face(11, face_id, face_id % 8, 224).image for face_id in range(80)]


@pytest.fixture(scope="module")
def hashes(faces: list[np.ndarray]) -> np.ndarray:
    return np.stack([perceptual_hash(face) for face in faces])


def test_the_hash_is_imagehashs(faces: list[np.ndarray], hashes: np.ndarray) -> None:
    for face, bits in zip(faces, hashes, strict=True):
        grey = cv2.resize(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), (64, 64), interpolation=cv2.INTER_AREA)
        assert (np.unpackbits(bits.view(np.uint8)) == imagehash.phash(Image.fromarray(grey), 16).hash.ravel()).all()


def reencode(image: np.ndarray, quality: int) -> np.ndarray:
    _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR))


COPIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "re-encoded": lambda image: reencode(image, 50),
    "half the size": lambda image: cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "enlarged": lambda image: cv2.resize(image, (350, 350), interpolation=cv2.INTER_CUBIC),
    "cropped by 1 % a side": lambda image: image[2:-2, 2:-2],
    "grey": lambda image: cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB),
}


@pytest.mark.parametrize("name", COPIES)
def test_a_copy_joins_its_original(name: str, faces: list[np.ndarray], hashes: np.ndarray) -> None:
    copies = np.stack([perceptual_hash(COPIES[name](face)) for face in faces])
    groups = group_duplicates(np.concatenate([hashes, copies]), DISTANCE)
    found = np.mean(groups[len(faces) :] == np.arange(len(faces)))
    assert found >= 0.95


def test_different_faces_stay_apart(hashes: np.ndarray) -> None:
    assert group_duplicates(hashes, DISTANCE).tolist() == list(range(len(hashes)))


def test_equal_pixels_are_one_picture_at_distance_0(faces: list[np.ndarray]) -> None:
    hashes = np.stack([perceptual_hash(face) for face in (faces[0], faces[1], faces[0].copy())])
    assert group_duplicates(hashes, 0).tolist() == [0, 1, 0]


@settings(max_examples=50)
@given(arrays(np.uint64, st.tuples(st.integers(1, 30), st.just(4)), elements=st.integers(0, 7)), st.integers(0, 6))
def test_groups_are_the_connected_pairs(hashes: np.ndarray, distance: int) -> None:
    group = list(range(len(hashes)))
    for i, first in enumerate(hashes):
        for j, second in enumerate(hashes):
            if sum(int(a ^ b).bit_count() for a, b in zip(first.tolist(), second.tolist(), strict=True)) <= distance:
                merged = min(group[i], group[j])
                group = [merged if g in (group[i], group[j]) else g for g in group]
    assert group_duplicates(hashes, distance).tolist() == group
