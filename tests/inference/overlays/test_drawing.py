"""What is drawn on a picture lies where the face is, and covers no other face."""

import numpy as np
import pytest
from PIL import ImageColor

from affect.core.labels import EXPRESSION_COLOURS, EXPRESSIONS
from affect.core.predictions import PROBABILITIES
from affect.inference.overlays.drawing import MIN_SIDE, draw_faces, values
from affect.inference.tables import Row

GREY = 90


def make_row(box: tuple[float, float, float, float] | None, expression: str, cropped: bool = False) -> Row:
    row: Row = {"face": 1, "cropped": cropped, "predicted_expression": expression}
    row |= {name: 0.93 if name == f"p_{expression}" else 0.01 for name in PROBABILITIES}
    row |= {"predicted_valence": 0.5, "predicted_arousal": -0.5}
    return row | (dict(zip(("left", "top", "width", "height"), box, strict=True)) if box else {})


def grey(width: int, height: int) -> np.ndarray:
    return np.full((height, width, 3), GREY, np.uint8)


def find(image: np.ndarray, expression: str) -> np.ndarray:
    """Return where an expression's colour is."""
    return (image == ImageColor.getrgb(EXPRESSION_COLOURS[expression])).all(axis=2)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_the_box_has_the_colour_of_the_expression(expression: str) -> None:
    image = draw_faces(grey(800, 600), [make_row((300, 200, 150, 180), expression)])
    assert image.shape == (600, 800, 3)
    assert find(image, expression)[380, 300:450].all()
    assert (image[205:375, 305:445] == GREY).all(), "the face itself is not drawn on"
    assert find(image, expression)[200:400, 451:].sum() > 500, "its bar is to the right"


def test_no_panel_covers_a_face() -> None:
    boxes = [(60 + 190 * number, 150, 150, 160) for number in range(4)]
    rows = [make_row(box, "happy") for box in boxes]
    image = draw_faces(grey(820, 600), rows)
    for left, top, width, height in boxes:
        assert (image[top + 5 : top + height - 5, left + 5 : left + width - 5] == GREY).all()
    assert (image[320:] != GREY).any(), "the panels are below"
    assert (draw_faces(grey(820, 600), rows, panels=False)[320:] == GREY).all()


def test_a_cropped_face_has_its_bars_beside_it() -> None:
    image = draw_faces(grey(96, 96), [make_row((5, 5, 80, 80), "fear", cropped=True)])
    assert image.shape[0] == 4 * 96
    assert image.shape[1] > 4 * 96
    assert find(image, "fear")[:, 4 * 96 :].sum() > 100


@pytest.mark.parametrize("shape", [(1, 1), (1, 3000), (3000, 1), (4320, 7680)])
def test_pictures_of_odd_sizes_are_drawn_on(shape: tuple[int, int]) -> None:
    height, width = shape
    image = draw_faces(grey(width, height), [make_row((0, 0, width, height), "sad")])
    assert image.shape[0] >= height
    assert max(image.shape) <= max(4 * MIN_SIDE, height, width)
    assert find(image, "sad").any()


def test_a_picture_without_a_face_stays_as_it_is() -> None:
    np.testing.assert_array_equal(draw_faces(grey(640, 480), [{"face": 0}]), grey(640, 480))


def test_smoothed_values_are_shown_where_there_are_any() -> None:
    row = make_row(None, "anger")
    assert values(row) == ("anger", [row[name] for name in PROBABILITIES], [0.5, -0.5])
    row |= {"smoothed_expression": "fear", "smoothed_valence": 0.1, "smoothed_arousal": None}
    row |= {f"smoothed_{name}": 0.125 for name in PROBABILITIES}
    assert values(row) == ("fear", [0.125] * 8, [0.1, None])
