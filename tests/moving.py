"""Videos of drawn people who move."""

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import chain, count
from pathlib import Path

import av
import numpy as np

from affect.synthetic.faces import render_face

SEED = 78
WIDTH, HEIGHT, SIDE = 480, 256, 128


def write_video(
    file: Path, images: Iterable[np.ndarray], times: Iterable[float] | None = None, codec: str = "libx264"
) -> None:
    """Write (height, width, 3) pictures as a video, 25 a second or at times in seconds."""
    images = iter(images)
    first = next(images)
    step = Fraction(1, 1000) if times else Fraction(1, 25)
    with av.open(file, "w") as container:
        stream = container.add_stream(codec, rate=25)
        assert isinstance(stream, av.VideoStream)
        stream.height, stream.width = first.shape[:2]
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.codec_context.time_base = step
        stream.codec_context.gop_size = 5
        for image, time in zip(chain([first], images), times or count(0, 0.04), strict=False):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), "rgb24")
            frame.pts, frame.time_base = round(time / step), step
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


def draw_people(
    frames: int, people: int = 1, hidden: Sequence[int] = (), width: int = WIDTH, height: int = HEIGHT
) -> Iterator[np.ndarray]:
    """Draw people who sway side by side on a grey wall, and are gone in the frames `hidden`."""
    faces = [render_face(SEED, id, id % 8, SIDE).image for id in range(people)]
    for frame in range(frames):
        image = np.full((height, width, 3), 150, np.uint8)
        for id, face in enumerate(faces) if frame not in hidden else ():
            left, top = place(id, frame)
            image[top : top + SIDE, left : left + SIDE] = face
        yield image


def place(id: int, frame: int) -> tuple[int, int]:
    """Return the left and top of a person's square."""
    return 10 + 150 * id + round(8 * np.sin(frame / 3 + id)), 60 + round(20 * np.cos(frame / 4 + id))
