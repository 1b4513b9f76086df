"""From an image file to an RGB array: one way for training and prediction."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import simplejpeg
from PIL import Image, ImageOps, JpegImagePlugin, PngImagePlugin

from affect.core.opencv import cv2

# By content, whatever the name: photographs collected on the web are often WebP under another name.
FORMATS = ("JPEG", "PNG", "WEBP", "BMP")

# The limit is read_image's own max_pixels, checked before anything is decoded.
Image.MAX_IMAGE_PIXELS = None
# Editors put megabytes of compressed text into sound PNGs; Pillow refuses more than one.
PngImagePlugin.MAX_TEXT_CHUNK = PngImagePlugin.MAX_TEXT_MEMORY = 1 << 26

# libjpeg's warnings about missing pixels, which Pillow ignores.
_CUT_SHORT = ("premature end", "instead of RST")


class UnusableImageError(Exception):
    """One image can't be used: `reason` is a word to count by, `detail` names the file and the fault."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail


@dataclass(frozen=True)
class ImageLimits:
    """What an image must be: at least `min_side` pixels a side, at most `max_pixels` pixels."""

    min_side: int
    max_pixels: int


def read_image(file: Path, limits: ImageLimits) -> np.ndarray:
    """Read a JPEG, PNG, WebP or BMP file as a (height, width, 3) uint8 RGB array, upright as its EXIF orientation says.

    Grey, palette, 16-bit and CMYK images are converted; an alpha channel is dropped.
    Raises UnusableImageError for what is not an image, is cut short or is outside the limits; the latter are told from
    the header, before decoding.
    """
    try:
        # Opening a named pipe would wait for ever.
        if not file.is_file():
            raise ValueError("not a file")
        with Image.open(file, formats=FORMATS) as image:
            check_size(file.name, image.size, limits)
            if isinstance(image, JpegImagePlugin.JpegImageFile):
                _check_complete(file.read_bytes())
            ImageOps.exif_transpose(image, in_place=True)
            return _to_rgb(image)
    except UnusableImageError:
        raise
    # A damaged file makes Pillow raise almost anything, down to AttributeError from deep in its EXIF reader.
    except Exception as error:
        raise UnusableImageError("image_unreadable", f"{file.name}: {error}".replace(str(file), file.name)) from None


def check_size(name: str, size: tuple[int, int], limits: ImageLimits) -> None:
    """Raise UnusableImageError for a (width, height) outside the limits."""
    width, height = size
    if min(size) < limits.min_side:
        raise UnusableImageError("image_too_small", f"{name} is {width}x{height}, a side under {limits.min_side}")
    if width * height > limits.max_pixels:
        raise UnusableImageError("image_too_large", f"{name} is {width}x{height}, over {limits.max_pixels} pixels")


def _check_complete(jpeg: bytes) -> None:
    """Raise ValueError for a JPEG whose data end before its last pixel, even where an end marker closes it."""
    try:
        simplejpeg.decode_jpeg(jpeg, colorspace="GRAY", min_height=1, min_width=1, strict=True)
    except ValueError as error:
        # Ignore other warnings: Pillow decides whether the image is readable.
        if any(sign in str(error).replace("Premature", "premature") for sign in _CUT_SHORT):
            raise ValueError(f"cut short ({error})") from None


def _to_rgb(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I"):
        # Pillow would clip 16-bit grey at 255 instead of scaling it.
        grey = (np.asarray(image) // 257).astype(np.uint8)
        return cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB)
    if "transparency" in image.info:
        # Pillow warns of a palette's transparency unless it goes through alpha.
        image = image.convert("RGBA")
    return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
