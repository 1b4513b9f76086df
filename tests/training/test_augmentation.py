"""Altered copies: within their bounds, and each bound does something."""

import dataclasses

import numpy as np
import pytest

from affect.core.rng import rng_for
from affect.training.input.augmentation import Augmentation, augment

NOTHING = Augmentation(rotation=0, zoom=0, shift=0, flip=0, brightness=0, contrast=0)


@pytest.fixture(scope="module")
def image() -> np.ndarray:
    rows, columns = np.mgrid[0:64, 0:64]
    return np.stack([rows * 3, columns * 3, (rows + columns) + 40], axis=2).astype(np.uint8)


def copy_with(image: np.ndarray, number: int = 1, /, **bounds: float) -> np.ndarray:
    return augment(image, dataclasses.replace(NOTHING, **bounds), rng_for(1, "id", number))


def test_nothing_allowed_changes_nothing(image: np.ndarray) -> None:
    np.testing.assert_array_equal(copy_with(image), image)


def test_a_certain_flip_mirrors(image: np.ndarray) -> None:
    np.testing.assert_array_equal(copy_with(image, flip=1), image[:, ::-1])


@pytest.mark.parametrize("bound", ["rotation", "zoom", "shift", "brightness", "contrast"])
def test_each_bound_alters_the_image(bound: str, image: np.ndarray) -> None:
    copy = copy_with(image, **{bound: 15 if bound == "rotation" else 0.1})
    assert (copy != image).mean() > 0.5


def test_half_of_the_copies_are_flipped(image: np.ndarray) -> None:
    flipped = sum((copy_with(image, copy, flip=0.5) == image[:, ::-1]).all() for copy in range(400))
    assert 160 < flipped < 240


def test_brightness_moves_by_at_most_its_share(image: np.ndarray) -> None:
    moves = [copy_with(image, copy, brightness=0.1)[32, 32].astype(int) - image[32, 32] for copy in range(100)]
    assert np.abs(moves).max() <= 26
    assert np.abs(moves).max() >= 20
    assert np.sign(np.mean(moves, axis=1)).min() == -1


def test_values_are_clipped_not_wrapped() -> None:
    white = np.full((8, 8, 3), 250, np.uint8)
    assert all(copy_with(white, copy, brightness=1).max() <= 255 for copy in range(20))
    brightest = max((copy_with(white, copy, brightness=1) for copy in range(20)), key=np.sum)
    assert (brightest == 255).all()


def test_borders_are_reflected_not_black() -> None:
    grey = np.full((64, 64, 3), 120, np.uint8)
    assert (copy_with(grey, rotation=15, shift=0.1, zoom=0.1) == 120).all()


def test_shift_stays_within_a_tenth(image: np.ndarray) -> None:
    dot = np.zeros((101, 101, 3), np.uint8)
    dot[49:52, 49:52] = 255
    for copy in range(50):
        rows, columns = np.nonzero(copy_with(dot, copy, shift=0.1)[..., 0] > 100)
        assert abs(rows.mean() - 50) <= 10.6
        assert abs(columns.mean() - 50) <= 10.6
