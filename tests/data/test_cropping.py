"""What of a picture is a face: squares to the pixel, and eyes at their places."""

import tracemalloc

import cv2
import numpy as np
import pytest
from conftest import draw_picture
from hypothesis import given, settings
from hypothesis import strategies as st

from affect.data.images.cropping import (
    EYE_HEIGHT,
    EYE_LEFT,
    EYE_RIGHT,
    EYES,
    Box,
    align_eyes,
    crop_square,
    letterbox,
)
from affect.synthetic.faces.face import render_face

SIDES = st.integers(1, 90)


def number_pixels(height: int, width: int) -> np.ndarray:
    """An image in which each pixel says where it is: (row + 1, column + 1, 255)."""
    rows, columns = np.mgrid[1 : height + 1, 1 : width + 1]
    return np.dstack([rows, columns, np.full_like(rows, 255)]).astype(np.uint8)


@pytest.mark.parametrize("size", [32, 64, 100])
def test_the_box_of_a_square_image_is_a_plain_resize(size: int) -> None:
    image = draw_picture("square", 80)
    method = cv2.INTER_AREA if size < 80 else cv2.INTER_LINEAR
    expected = cv2.resize(image, (size, size), interpolation=method)
    np.testing.assert_array_equal(crop_square(image, Box(0, 0, 80, 80), size), expected)
    np.testing.assert_array_equal(letterbox(image, size), expected)


@settings(deadline=None)
@given(SIDES, SIDES, st.integers(8, 100))
def test_the_box_of_any_image_is_its_letterbox(height: int, width: int, size: int) -> None:
    image = number_pixels(height, width)
    np.testing.assert_array_equal(crop_square(image, Box(0, 0, width, height), size), letterbox(image, size))


def test_a_letterbox_is_centred_and_black_beside_the_image() -> None:
    image = np.full((40, 80, 3), 200, np.uint8)
    square = letterbox(image, 64)
    assert (square[:16] == 0).all()
    assert (square[16:48] == 200).all()
    assert (square[48:] == 0).all()
    np.testing.assert_array_equal(letterbox(image.transpose(1, 0, 2), 64), square.transpose(1, 0, 2))


@settings(deadline=None)
@given(st.integers(-30, 60), st.integers(-30, 60), st.integers(1, 50), st.integers(1, 50))
def test_a_square_is_cut_out_about_the_centre_and_padded_with_black(
    left: int, top: int, width: int, height: int
) -> None:
    """At its own size, every pixel is the image's or black."""
    image = number_pixels(50, 60)
    side = max(width, height)
    # Halves are rounded up, in both directions alike.
    first_row, first_column = top + -(-(height - side) // 2), left + -(-(width - side) // 2)
    padded = np.pad(image, ((200, 200), (200, 200), (0, 0)))
    expected = padded[200 + first_row :, 200 + first_column :][:side, :side]
    if not expected.any():
        with pytest.raises(ValueError, match="the box lies outside the image"):
            crop_square(image, Box(left, top, width, height), side)
        return
    square = crop_square(image, Box(left, top, width, height), side)
    # Where the image ends on both sides it is centred, half a pixel from there at most.
    if first_row <= 0 and first_row + side >= 50:
        square, expected = (np.sort(part, axis=0) for part in (square, expected))
    if first_column <= 0 and first_column + side >= 60:
        square, expected = (np.sort(part, axis=1) for part in (square, expected))
    np.testing.assert_array_equal(square, expected)


@pytest.mark.parametrize("offset", [0.25, 0.5, 1.5, 2.5, 3.5])
def test_half_pixels_make_no_square_wider_than_high(offset: float) -> None:
    """Python rounds 2.5 to 2 and 3.5 to 4: an odd square would be one less or one more."""
    square = crop_square(number_pixels(50, 50), Box(10 + offset, 11 + offset, 5, 5), 5)
    rows, columns = square[:, 0, 0].astype(int), square[0, :, 1].astype(int)
    start = int(np.floor(offset + 0.5))
    assert rows.tolist() == [12 + start + row for row in range(5)]
    assert columns.tolist() == [11 + start + column for column in range(5)]


def test_the_scale_widens_the_square_about_its_centre() -> None:
    image = number_pixels(60, 60)
    np.testing.assert_array_equal(crop_square(image, Box(20, 24, 20, 12), 30, scale=1.5), image[15:45, 15:45])


def test_a_part_outside_is_in_proportion_when_it_is_resized() -> None:
    square = crop_square(np.full((100, 100, 3), 255, np.uint8), Box(-50, 25, 100, 100), 48)
    assert (square[:36, 24:] == 255).all()
    assert not square[:, :24].any()
    assert not square[36:].any()


@pytest.mark.parametrize(
    "box",
    [
        Box(100, 0, 10, 10),
        Box(-10, 0, 10, 10),
        Box(0, 100, 10, 10),
        Box(0, -30, 20, 20),
        Box(1e300, 0, 1e300, 1e308),
        Box(float("nan"), 0, 1, 1),
        Box(0, 0, float("inf"), 1),
    ],
)
def test_a_box_outside_the_image_is_refused(box: Box) -> None:
    with pytest.raises(ValueError, match="the box lies outside the image"):
        crop_square(number_pixels(100, 100), box, 32)


@pytest.mark.parametrize(
    "box", [Box(50, 50, 1e-9, 1e-9), Box(50.4, 50.4, 0.2, 0.2), Box(-4e8, -4e8, 9e8, 9e8), Box(0, 0, 1, 9e8)]
)
def test_a_tiny_or_a_huge_box_costs_no_memory(box: Box) -> None:
    image = np.full((100, 100, 3), 255, np.uint8)
    tracemalloc.start()
    square = crop_square(image, box, 64)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert square.shape == (64, 64, 3)
    assert square.any()
    assert peak < 1_000_000


def eyes_at(first: tuple[float, float], second: tuple[float, float]) -> np.ndarray:
    landmarks = np.zeros((68, 2))
    landmarks[EYES[0]], landmarks[EYES[1]] = first, second
    return landmarks


def draw_dots(shape: tuple[int, int], *places: tuple[float, float], radius: float) -> np.ndarray:
    """Blurred white dots on black, about places (x, y) that need not be whole."""
    rows, columns = np.mgrid[: shape[0], : shape[1]]
    light = sum(np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * radius**2)) for x, y in places)
    return np.repeat((255 * np.clip(light, 0, 1)).astype(np.uint8)[..., None], 3, axis=2)


def find_dot(image: np.ndarray, columns: slice) -> np.ndarray:
    """Return the centre of mass (x, y) of what is light, in a part of the columns."""
    light = np.zeros(image.shape[:2])
    light[:, columns] = image[:, columns, 0]
    rows, places = np.mgrid[: image.shape[0], : image.shape[1]]
    return np.array([(light * places).sum(), (light * rows).sum()]) / light.sum()


@settings(deadline=None, max_examples=60)
@given(
    st.floats(-60, 60),
    st.floats(20, 200),
    st.tuples(st.floats(-4, 4), st.floats(-4, 4)),
    st.sampled_from([64, 96, 224]),
)
def test_eyes_come_to_lie_at_their_places(
    degrees: float, distance: float, shift: tuple[float, float], size: int
) -> None:
    """To a tenth of a pixel, whatever the image is turned, enlarged or reduced by."""
    angle = np.radians(degrees)
    half = np.array([np.cos(angle), np.sin(angle)]) * distance / 2
    middle = np.array([205, 195]) + shift
    places = [tuple(middle - half), tuple(middle + half)]
    image = draw_dots((400, 410), *places, radius=distance / 12)
    aligned = align_eyes(image, eyes_at(*places), size)
    for columns, share in ((slice(None, size // 2), EYE_LEFT), (slice(size // 2, None), EYE_RIGHT)):
        # A share of the side is an edge of pixels, whose middles are whole numbers.
        expected = np.array([share, EYE_HEIGHT]) * size - 0.5
        np.testing.assert_allclose(find_dot(aligned, columns), expected, atol=0.1)


@pytest.mark.parametrize("size", [64, 224])
@pytest.mark.parametrize("drawn", [96, 224])
def test_a_face_is_upright_with_its_own_eyes(drawn: int, size: int) -> None:
    """The landmarks of the aligned face, found by carrying them over, and the same skin around them."""
    for face_id in range(6):
        face = render_face(3, face_id, face_id, drawn)
        marked = face.image.copy()
        # Eyes in pure green, mouth in pure blue.
        for part, colour in ((slice(36, 42), (0, 255, 0)), (slice(42, 48), (0, 255, 0)), (slice(48, 68), (0, 0, 255))):
            centre = face.landmarks[part].mean(axis=0)
            cv2.circle(marked, tuple(round(float(value)) for value in centre), drawn // 24, colour, -1)
        aligned = align_eyes(marked, face.landmarks, size).astype(int)
        green = aligned[..., 1] - aligned[..., [0, 2]].max(axis=2) > 100
        blue = aligned[..., 2] - aligned[..., [0, 1]].max(axis=2) > 100
        for half, share in ((slice(None, size // 2), EYE_LEFT), (slice(size // 2, None), EYE_RIGHT)):
            rows, columns = np.nonzero(green[:, half])
            assert abs(rows.mean() + 0.5 - EYE_HEIGHT * size) < 0.025 * size
            assert abs(columns.mean() + (half.start or 0) + 0.5 - share * size) < 0.025 * size
        assert np.nonzero(blue)[0].mean() > 0.6 * size


def test_an_aligned_image_that_needs_no_change_is_the_image() -> None:
    size = 100
    image = draw_picture("still", size)
    places = [(share * size - 0.5, EYE_HEIGHT * size - 0.5) for share in (EYE_LEFT, EYE_RIGHT)]
    np.testing.assert_array_equal(align_eyes(image, eyes_at(*places), size), image)


def test_reducing_averages_what_a_warp_would_skip() -> None:
    """Stripes of one pixel become grey, and no moire."""
    stripes = np.repeat(np.tile(np.array([0, 255], np.uint8), (800, 400))[..., None], 3, axis=2)
    places = [(share * 800 - 0.5, EYE_HEIGHT * 800 - 0.5) for share in (EYE_LEFT, EYE_RIGHT)]
    aligned = align_eyes(stripes, eyes_at(*places), 80)
    assert (np.abs(aligned[2:-2, 2:-2].astype(int) - 127) <= 3).all()


def test_what_lies_outside_the_image_is_black() -> None:
    image = np.full((100, 100, 3), 255, np.uint8)
    aligned = align_eyes(image, eyes_at((0, 50), (40, 50)), 100)
    assert not aligned[:, :25].any()
    assert (aligned[:85, 32:] == 255).all()


@pytest.mark.parametrize(
    ("first", "second"),
    [((5, 5), (5, 5)), ((0, 0), (1e12, 0)), ((np.inf, 0), (0, 0)), ((np.nan, 0), (0, 0)), ((5000, 5), (5040, 5))],
)
def test_eyes_at_one_place_or_outside_are_refused(first: tuple[float, float], second: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="outside the image"):
        align_eyes(number_pixels(100, 100), eyes_at(first, second), 64)


@pytest.mark.parametrize("distance", [1e-6, 0.01, 1e6])
def test_eyes_very_near_or_far_apart_cost_no_memory(distance: float) -> None:
    aligned = align_eyes(number_pixels(100, 100), eyes_at((50 - distance / 2, 50), (50 + distance / 2, 50)), 64)
    assert aligned.shape == (64, 64, 3)


def test_a_picture_wider_than_opencv_warps_is_aligned() -> None:
    strip = np.full((100, 40_000, 3), 200, np.uint8)
    assert (align_eyes(strip, eyes_at((30_000, 50), (30_020, 50)), 64)[16:40] == 200).all()
