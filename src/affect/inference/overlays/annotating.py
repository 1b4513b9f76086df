"""Pictures and videos with what was predicted of them drawn on."""

import os
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import groupby
from pathlib import Path

import av
import numpy as np
from PIL import Image
from tqdm import tqdm

from affect.core.files import new_file
from affect.data.images.files import is_image
from affect.data.images.reading import ImageLimits, UnusableImageError, read_image
from affect.inference.overlays.drawing import draw_faces
from affect.inference.sources import Source
from affect.inference.tables import Row, read_pictures
from affect.inference.videos import Every, UnusableVideoError, Video
from affect.plumbing.errors import InputError

# Of a second, in which a video's times are written.
_TICK = Fraction(1, 90_000)
# H.264 by its constant quality: 18 is as good as the original to most eyes, 23 the usual.
_QUALITY = {"crf": "20", "preset": "veryfast"}


def annotate(table: Path, sources: Sequence[Source], folder: Path, every: Every, max_pixels: int) -> None:
    """Write each picture and video that has rows in a table into a folder, under its name, with its faces drawn on.

    Videos become MP4 (H.264) of the frames that have rows, at their times, without sound. What is there already stays.
    """
    by_name = {source.name: source for source in sources}
    names = name_copies(list(by_name.values()))
    pictures = groupby(read_pictures(table), key=lambda rows: rows[0]["source"])
    for name, rows in tqdm(pictures, "annotate", len(by_name), unit=" files", disable=None):
        source = by_name[name]
        copy = folder / names[source.file]
        if not copy.exists():
            try:
                with new_file(copy) as temporary:
                    if source.is_video:
                        _write_video(temporary, source.file, rows, every, max_pixels)
                    else:
                        _write_picture(temporary, source.file, next(rows), max_pixels)
            except (UnusableImageError, UnusableVideoError) as error:
                raise InputError(f"{source.file}: has changed since it was predicted: {error}") from None


def name_copies(sources: Sequence[Source]) -> dict[Path, Path]:
    """Return where each file's copy goes, below their common folder; one that is written otherwise gets an ending."""
    places = {source: os.path.abspath(source.file) for source in sources}  # noqa: PTH100, links stay as they are named
    common = os.path.commonpath([os.path.dirname(place) for place in places.values()])  # noqa: PTH120, of texts
    copies = {source: Path(os.path.relpath(place, common)) for source, place in places.items()}
    return {source.file: _with_ending(copy, ".mp4" if source.is_video else ".jpg") for source, copy in copies.items()}


def _with_ending(copy: Path, ending: str) -> Path:
    is_written = is_image(copy.name) if ending == ".jpg" else copy.suffix.lower() == ending
    return copy if is_written else copy.with_name(f"{copy.name}{ending}")


def _write_picture(copy: Path, file: Path, rows: Sequence[Row], max_pixels: int) -> None:
    drawn = draw_faces(read_image(file, ImageLimits(1, max_pixels)), rows)
    kind = Image.registered_extensions().get(file.suffix.lower(), "JPEG") if is_image(file.name) else "JPEG"
    Image.fromarray(drawn).save(copy, kind, quality=95)


def _write_video(copy: Path, file: Path, pictures: Iterator[list[Row]], every: Every, max_pixels: int) -> None:
    with Video(file, max_pixels) as video, av.open(copy, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=round(video.rate) or 1, options=_QUALITY)
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = _TICK
        frames = video.frames(every)
        sides: dict[int, int] = {}
        for rows in pictures:
            frame = next((frame for frame in frames if frame.number == rows[0]["frame"]), None)
            if frame is None:
                raise UnusableVideoError(f"it has no frame {rows[0]['frame']} any more")
            drawn = _with_even_sides(draw_faces(frame.image, rows, sides=sides))
            if not stream.codec_context.is_open:
                stream.height, stream.width = drawn.shape[:2]
            picture = av.VideoFrame.from_ndarray(drawn, "rgb24")
            picture.pts, picture.time_base = round(frame.time / _TICK), _TICK
            container.mux(stream.encode(picture))
        container.mux(stream.encode())


def _with_even_sides(image: np.ndarray) -> np.ndarray:
    """Return an image whose last row or column is there twice where their number is odd, which H.264 can't have."""
    return np.pad(image, ((0, image.shape[0] % 2), (0, image.shape[1] % 2), (0, 0)), mode="edge")
