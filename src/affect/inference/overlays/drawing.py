"""Faces and their values, drawn onto a picture."""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont, ImageOps

from affect.core.labels import EXPRESSION_COLOURS, EXPRESSIONS, VALENCE_AROUSAL
from affect.core.predictions import PROBABILITIES
from affect.inference.face_predictor import BOX
from affect.inference.tables import Row

# Left, top, right and bottom, in pixels.
Rectangle = tuple[float, float, float, float]

# Pixels of the shorter side below which a picture is enlarged, since no letters would fit on it.
MIN_SIDE = 360
# Heights of a letter in the shorter side.
_LETTERS = 34
# The panel beside a face, in heights of a letter: its width, the circumplex's side, and a line.
_WIDTH, _CIRCUMPLEX, _LINE = 8.5, 5.0, 1.15
_PANEL, _INK = (20, 20, 20, 170), (255, 255, 255, 255)


def draw_faces(
    image: np.ndarray, rows: Sequence[Row], panels: bool = True, sides: dict[int, int] | None = None
) -> np.ndarray:
    """Return a (height, width, 3) RGB picture with a box and the expression for each face of its rows; with `panels`,
    where there is room beside it, also with eight bars and the circumplex.

    Values are the smoothed ones where there are any. A small picture comes back enlarged by a whole number, and a
    cropped face with the bars to its right. sides: on which side of each face its bars were in the frame before, where
    they stay if there is room; it is brought up to date.
    """
    times = math.ceil(MIN_SIDE / min(image.shape[:2]))
    # Nobody looks at a strip that is enlarged to a thousand times its width.
    times = times if times * max(image.shape[:2]) <= 4 * MIN_SIDE else 1
    picture = Image.fromarray(image)
    picture = picture.resize((times * picture.width, times * picture.height), Image.Resampling.NEAREST)
    letter = max(12, min(picture.size) // _LETTERS)
    inner = picture.width
    if any(row.get("cropped") for row in rows):
        picture = ImageOps.pad(picture, (inner + round(_WIDTH * letter), picture.height), centering=(0, 0))
    pen = ImageDraw.Draw(picture, "RGBA")
    faces = [row for row in rows if row["face"]]
    boxes = [_box(row, times, picture.height, inner) for row in faces]
    taken = list(boxes)
    for row, box in zip(faces, boxes, strict=True):
        _draw_box(pen, row, box, letter)
        before = sides.get(row["face"], 0) if sides else 0
        places = (_find_room(picture.size, box, taken, size, before) for size in _panel_sizes(row, letter))
        if panels and (found := next(filter(None, places), None)):
            side, panel = found
            taken.append(panel)
            _draw_panel(pen, row, panel, letter)
            if sides is not None:
                sides[row["face"]] = side
    return np.asarray(picture)


def _box(row: Row, times: int, height: int, width: int) -> Rectangle:
    """Return the left, top, right and bottom of a face, of a cropped one those of the picture."""
    if row["cropped"]:
        return 0.0, 0.0, float(width), float(height)
    left, top, across, down = (times * row[name] for name in BOX)
    return left, top, left + across, top + down


def _panel_sizes(row: Row, letter: int) -> list[tuple[float, float]]:
    """Return the width and height of the bars with the circumplex below, if there is one, and of the bars alone."""
    _, _, (valence, _) = values(row)
    bars = len(EXPRESSIONS) * _LINE + 0.2
    heights = [bars] if valence is None else [bars + _CIRCUMPLEX + 0.5, bars]
    return [(_WIDTH * letter, height * letter) for height in heights]


def _find_room(
    size: tuple[int, int], box: Rectangle, taken: Sequence[Rectangle], panel: tuple[float, float], first: int
) -> tuple[int, Rectangle] | None:
    """Return a side of a box, and a place for a panel there, in a picture of a size, over nothing that is taken.

    The sides are right, left, below and above; `first` is tried first.
    """
    (width, height), (left, top, right, bottom) = panel, box
    down = min(max(top, 0.0), size[1] - height)
    across = min(max(left, 0.0), size[0] - width)
    # A line of letters stands above each box.
    above = top - height - 1.5 * width / _WIDTH
    corners = ((right, down), (left - width, down), (across, bottom), (across, above))
    for side in sorted(range(len(corners)), key=lambda side: side != first):
        x, y = corners[side]
        place = x, y, x + width, y + height
        inside = x >= 0 and y >= 0 and place[2] <= size[0] and place[3] <= size[1]
        if inside and not any(_meet(place, other) for other in taken):
            return side, place
    return None


def _meet(first: Rectangle, second: Rectangle) -> bool:
    return first[0] < second[2] and second[0] < first[2] and first[1] < second[3] and second[1] < first[3]


def values(row: Row) -> tuple[str, list[float], list[float | None]]:
    """Return a row's expression, its eight probabilities, and valence and arousal: smoothed where they are."""
    smoothed = row.get("smoothed_expression") is not None
    kind = "smoothed_" if smoothed else ""
    pair = [row.get(f"smoothed_{task}" if smoothed else f"predicted_{task}") for task in VALENCE_AROUSAL]
    expression = row["smoothed_expression" if smoothed else "predicted_expression"]
    return expression, [row[kind + name] for name in PROBABILITIES], pair


@lru_cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _draw_box(pen: ImageDraw.ImageDraw, row: Row, box: Rectangle, letter: int) -> None:
    expression, probabilities, _ = values(row)
    colour = ImageColor.getrgb(EXPRESSION_COLOURS[expression])
    pen.rectangle(box, outline=colour, width=max(2, letter // 8))
    _write_on(pen, box[:2], f"{row['face']}  {expression} {max(probabilities):.2f}", colour, letter)


def _draw_panel(pen: ImageDraw.ImageDraw, row: Row, panel: Rectangle, letter: int) -> None:
    expression, probabilities, (valence, arousal) = values(row)
    pen.rectangle(panel, fill=_PANEL)
    _draw_bars(pen, panel[:2], probabilities, letter)
    has_room = panel[3] - panel[1] > (len(EXPRESSIONS) * _LINE + _CIRCUMPLEX) * letter
    if has_room and valence is not None and arousal is not None:
        below = panel[0] + 0.5 * letter, panel[1] + len(EXPRESSIONS) * _LINE * letter
        colour = ImageColor.getrgb(EXPRESSION_COLOURS[expression])
        _draw_circumplex(pen, below, valence, arousal, colour, letter)


def _write_on(pen: ImageDraw.ImageDraw, foot: tuple[float, float], text: str, colour: tuple, letter: int) -> None:
    """Write a text on a coloured bar whose lower left corner is given; inside the picture, at its upper edge."""
    _, _, right, bottom = pen.textbbox((0, 0), text, _font(letter))
    furthest = max(pen.im.size[0] - right - 0.6 * letter, 0.0)
    place = min(max(foot[0], 0.0), furthest), max(foot[1] - (bottom + 0.3 * letter), 0.0)
    pen.rectangle((*place, place[0] + right + 0.6 * letter, place[1] + bottom + 0.3 * letter), fill=colour)
    pen.text((place[0] + 0.3 * letter, place[1]), text, _INK, _font(letter))


def _draw_bars(
    pen: ImageDraw.ImageDraw, place: tuple[float, float], probabilities: Sequence[float], letter: int
) -> None:
    left, top = place
    start, longest = left + 4.6 * letter, (_WIDTH - 4.9) * letter
    for line, (name, probability) in enumerate(zip(EXPRESSIONS, probabilities, strict=True)):
        y = top + line * _LINE * letter
        pen.text((left + 0.3 * letter, y), name, _INK, _font(round(0.9 * letter)))
        pen.rectangle(
            (start, y + 0.25 * letter, start + max(1.0, longest * probability), y + letter),
            fill=EXPRESSION_COLOURS[name],
        )


def _draw_circumplex(
    pen: ImageDraw.ImageDraw, place: tuple[float, float], valence: float, arousal: float, colour: tuple, letter: int
) -> None:
    """Draw valence to the right and arousal upwards, in the circle of Russell (1980)."""
    radius = _CIRCUMPLEX * letter / 2
    x, y = place[0] + (_WIDTH - 1) * letter / 2, place[1] + radius + 0.25 * letter
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), outline=_INK)
    pen.line((x - radius, y, x + radius, y), fill=_INK)
    pen.line((x, y - radius, x, y + radius), fill=_INK)
    dot, across, up = 0.35 * letter, x + valence * radius, y - arousal * radius
    pen.ellipse((across - dot, up - dot, across + dot, up + dot), fill=colour, outline=_INK)
