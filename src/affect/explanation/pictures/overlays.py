"""A map over a picture, and several beside one another."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib import get_data_path
from PIL import Image, ImageDraw, ImageFont

# For and against: orange and blue, which the colour-blind tell apart too.
FOR, AGAINST = np.array([230.0, 97.0, 1.0]), np.array([43.0, 76.0, 170.0])
# How much of the colour covers the picture where a map is strongest.
_COVER = 0.85
_GREY = np.array([0.299, 0.587, 0.114])
_INK, _PAPER, _LETTER, _LINE, _MARGIN = "#1a1a1a", "white", 13, 19, 8


def overlay(image: np.ndarray, map: np.ndarray, signed: bool, limit: float | None = None) -> np.ndarray:
    """Return a (size, size, 3) uint8 picture in grey, coloured where a (size, size) map is: orange where it speaks for,
    and blue, if it is `signed`, where it speaks against.

    limit: of the map, at which the colour is full; None for its largest value.
    """
    values = map if signed else np.maximum(map, 0)
    strength = np.clip(np.abs(values) / (limit or max(float(np.abs(values).max()), 1e-12)), 0, 1)[..., None] * _COVER
    grey = (image @ _GREY)[..., None] * 0.8 + 40
    colour = np.where(values[..., None] >= 0, FOR, AGAINST)
    return (grey * (1 - strength) + colour * strength).clip(0, 255).astype(np.uint8)


def lay_out(title: str, tiles: Sequence[np.ndarray], captions: Sequence[str], columns: int) -> Image.Image:
    """Return equally large (side, side, 3) uint8 pictures in rows, each over its caption of some lines."""
    side = len(tiles[0])
    lines = max(caption.count("\n") + 1 for caption in captions)
    step = side + _MARGIN, side + lines * _LINE + _MARGIN
    columns = min(columns, len(tiles))
    rows = -(-len(tiles) // columns)
    # Pillow's own font has no Cyrillic or Greek letters.
    font = ImageFont.truetype(Path(get_data_path(), "fonts", "ttf", "DejaVuSans.ttf"), _LETTER)
    head = _LINE + _MARGIN if title else 0
    sheet = Image.new("RGB", (columns * step[0] + _MARGIN, rows * step[1] + head + _MARGIN), _PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((_MARGIN, _MARGIN), title, _INK, font)
    for place, (tile, caption) in enumerate(zip(tiles, captions, strict=True)):
        row, column = divmod(place, columns)
        left, top = _MARGIN + column * step[0], head + _MARGIN + row * step[1]
        sheet.paste(Image.fromarray(tile), (left, top))
        pen.text((left, top + side + 2), caption, _INK, font, spacing=3)
    return sheet
