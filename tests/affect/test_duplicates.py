"""Copies and mirror images of a picture are grouped; different faces are not, whatever mask or margin they share."""

from collections.abc import Callable

import cv2
import imagehash
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from affect.duplicates import HASHES, MIDDLE_DISTANCE, group_duplicates, hash_image
from affect.faces import draw_face
from params import load_params

DISTANCE = load_params().data.duplicate_distance


@pytest.fixture(scope="module")
def faces() -> list[np.ndarray]:
    return [draw_face(11, face_id, face_id % 8, 224).image for face_id in range(80)]


@pytest.fixture(scope="module")
def hashes(faces: list[np.ndarray]) -> np.ndarray:
    return hash_all(faces)


def hash_all(images: list[np.ndarray]) -> np.ndarray:
    return np.array([hash_image(image) for image in images])


def test_the_hash_is_imagehashs(faces: list[np.ndarray], hashes: np.ndarray) -> None:
    for face, bits in zip(faces, hashes, strict=True):
        grey = cv2.resize(cv2.cvtColor(face, cv2.COLOR_RGB2GRAY), (64, 64), interpolation=cv2.INTER_AREA)
        assert (
            np.unpackbits(bits["whole"].view(np.uint8)) == imagehash.phash(Image.fromarray(grey), 16).hash.ravel()
        ).all()


def reencode(image: np.ndarray, quality: int) -> np.ndarray:
    _, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(jpeg, cv2.IMREAD_COLOR))


COPIES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "re-encoded": lambda image: reencode(image, 50),
    "half the size": lambda image: cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
    "enlarged": lambda image: cv2.resize(image, (350, 350), interpolation=cv2.INTER_CUBIC),
    "cropped by 1 % a side": lambda image: image[2:-2, 2:-2],
    "grey": lambda image: cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB),
    "mirrored": lambda image: np.ascontiguousarray(image[:, ::-1]),
    "mirrored and re-encoded": lambda image: reencode(np.ascontiguousarray(image[:, ::-1]), 50),
}


def mask(image: np.ndarray) -> np.ndarray:
    """Black out what lies outside an oval, as face trackers crop by default."""
    oval = np.zeros(image.shape[:2], np.uint8)
    height, width = image.shape[0], image.shape[1]
    cv2.ellipse(oval, (width // 2, height // 2), (int(width * 0.42), int(height * 0.48)), 0, 0, 360, 255, -1)
    return image * (oval[..., None] > 0)


def enclose(image: np.ndarray) -> np.ndarray:
    """Put an image into the middle of a black one, four times as large."""
    height, width = image.shape[0] // 2, image.shape[1] // 2
    return cv2.copyMakeBorder(image, height, height, width, width, cv2.BORDER_CONSTANT)


BORDERS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "plain": lambda image: image,
    "masked": mask,
    "enclosed": enclose,
    "masked and enclosed": lambda image: enclose(mask(image)),
}


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("name", COPIES)
def test_a_copy_joins_its_original(name: str, border: str, faces: list[np.ndarray]) -> None:
    originals = [BORDERS[border](face) for face in faces[:40]]
    copies = [COPIES[name](original) for original in originals]
    groups = group_duplicates(hash_all(originals + copies), DISTANCE)
    found = np.mean(groups[len(originals) :] == np.arange(len(originals)))
    assert found >= 0.95


@pytest.mark.parametrize("border", BORDERS)
def test_different_faces_stay_apart(border: str, faces: list[np.ndarray]) -> None:
    hashes = hash_all([BORDERS[border](face) for face in faces])
    assert group_duplicates(hashes, DISTANCE).tolist() == list(range(len(faces)))


def test_a_hash_of_the_whole_alone_would_see_only_the_mask(faces: list[np.ndarray]) -> None:
    hashes = hash_all([enclose(mask(face)) for face in faces])
    assert hashes["bordered"].all()
    hashes["bordered"] = False
    assert len(np.unique(group_duplicates(hashes, DISTANCE))) < 0.8 * len(faces)


def test_equal_pixels_are_one_picture_at_distance_0(faces: list[np.ndarray]) -> None:
    assert group_duplicates(hash_all([faces[0], faces[1], faces[0].copy(), faces[0][:, ::-1]]), 0).tolist() == [
        0,
        1,
        0,
        0,
    ]


def test_groups_do_not_depend_on_how_many_pairs_are_compared_at_once(
    faces: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    hashes = hash_all([*faces[:12], *(reencode(face, 50) for face in faces[:12]), *(faces[0],) * 8])
    expected = group_duplicates(hashes, DISTANCE).tolist()
    monkeypatch.setattr("affect.duplicates.PAIRS_AT_ONCE", 5)
    assert group_duplicates(hashes, DISTANCE).tolist() == expected


WORDS = arrays(np.uint64, (4,), elements=st.integers(0, 7))


@settings(max_examples=50)
@given(st.lists(st.tuples(WORDS, WORDS, WORDS, WORDS, st.booleans()), min_size=1, max_size=20), st.integers(0, 6))
def test_groups_are_the_connected_pairs(drawn: list[tuple], distance: int) -> None:
    hashes = np.array(drawn, HASHES)
    group = list(range(len(hashes)))
    for i, first in enumerate(hashes):
        for j, second in enumerate(hashes[i + 1 :], start=i + 1):
            if any(is_close(first, second, side, distance) for side in ("", "mirrored_")):
                merged = min(group[i], group[j])
                group = [merged if g in (group[i], group[j]) else g for g in group]
    assert group_duplicates(hashes, distance).tolist() == group


def is_close(first: np.void, second: np.void, side: str, distance: int) -> bool:
    whole, middle = (
        sum(int(a ^ b).bit_count() for a, b in zip(first[name].tolist(), second[side + name].tolist(), strict=True))
        for name in ("whole", "middle")
    )
    bordered = first["bordered"] or second["bordered"]
    return whole <= distance and (middle <= MIDDLE_DISTANCE * distance or not bordered)
