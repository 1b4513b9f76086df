"""Many small pictures on one page."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from affect.core.files import atomic_file

MARGIN = 4
CAPTION_HEIGHT = 18
CAPTION_WIDTH = 84
LINE_HEIGHT = 15
CAPTIONED_SIDE = 160
CAPTIONED_COLUMNS = 5


def save_contact_sheet(
    file: Path, rows: Sequence[Sequence[np.ndarray]], row_names: Sequence[str], column_names: Sequence[str]
) -> None:
    """Save rows of equally large (size, size, 3) uint8 RGB images with a name beside each row and over each column."""
    step = len(rows[0][0]) + MARGIN
    sheet = Image.new("RGB", (CAPTION_WIDTH + step * len(column_names), CAPTION_HEIGHT + step * len(rows)), "white")
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(12)
    for column, name in enumerate(column_names):
        pen.text((CAPTION_WIDTH + column * step, MARGIN), name, "black", font)
    for row, (name, images) in enumerate(zip(row_names, rows, strict=True)):
        top = CAPTION_HEIGHT + row * step
        pen.text((MARGIN, top + step // 2), name, "black", font)
        for column, image in enumerate(images):
            sheet.paste(Image.fromarray(image), (CAPTION_WIDTH + column * step, top))
    with atomic_file(file) as temporary:
        sheet.save(temporary)


def save_captioned(file: Path, title: str, images: Sequence[np.ndarray], captions: Sequence[str]) -> None:
    """Save (size, size, 3) uint8 RGB images, five in a row, each over its caption of some lines."""
    lines = max((caption.count("\n") + 1 for caption in captions), default=0)
    width, height = CAPTIONED_SIDE + 2 * MARGIN, CAPTIONED_SIDE + (lines + 1) * LINE_HEIGHT
    rows = -(-len(images) // CAPTIONED_COLUMNS)
    sheet = Image.new("RGB", (width * CAPTIONED_COLUMNS, LINE_HEIGHT * 2 + height * rows), "white")
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(12)
    pen.text((MARGIN, MARGIN), title, "black", font)
    for place, (image, caption) in enumerate(zip(images, captions, strict=True)):
        row, column = divmod(place, CAPTIONED_COLUMNS)
        left, top = column * width + MARGIN, LINE_HEIGHT * 2 + row * height
        sheet.paste(Image.fromarray(image).resize((CAPTIONED_SIDE, CAPTIONED_SIDE)), (left, top))
        pen.text((left, top + CAPTIONED_SIDE + 1), caption, "black", font, spacing=1)
    with atomic_file(file) as temporary:
        sheet.save(temporary)
