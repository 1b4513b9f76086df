"""The newest frame of a camera, or of a video file that is played as if it were one."""

import time
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event, Thread

import numpy as np

from affect.core.opencv import cv2
from affect.inference.live.newest import Newest
from affect.inference.videos import Every, UnusableVideoError, Video
from affect.inference.videos.reading import Frame
from affect.plumbing.errors import InputError

Images = Generator[np.ndarray, None, None]

# Of a frame of a video file.
MAX_PIXELS = 50_000_000
# Seconds within which a camera's driver gives up waiting for a picture.
_PATIENCE = 12.0


@contextmanager
def open_camera(source: str) -> Iterator[Newest[Frame]]:
    """Yield the newest frame of a camera, by its number, or of a video file, by its path.

    Frames are counted from 1; their times are those of time.monotonic(). A file is played at its own speed, again and
    again. Raises InputError for a camera or file without a picture; the frames end with InputError when it is lost.
    """
    stop = Event()
    images = _watch_camera(int(source)) if source.isdecimal() else _play(Path(source), stop)
    # In this thread, so that what can't be opened is an error here.
    first = next(images)
    newest = Newest[Frame]()
    newest.put(Frame(1, time.monotonic(), first))
    thread = Thread(target=_read, args=(images, stop, newest), name="camera", daemon=True)
    thread.start()
    try:
        yield newest
    finally:
        stop.set()
        newest.close()
        thread.join(_PATIENCE)


def _read(images: Images, stop: Event, newest: Newest[Frame]) -> None:
    """Read until told to stop; a fault goes to whoever takes the frames."""
    try:
        with closing(images):
            for number, image in enumerate(images, 2):
                newest.put(Frame(number, time.monotonic(), image))
                if stop.is_set():
                    break
    except Exception as error:
        newest.close(error)


def _watch_camera(number: int) -> Images:
    """Yield (height, width, 3) uint8 RGB images of a camera, as they come."""
    capture = _open_capture(number)
    try:
        is_there, image = capture.read()
        if not is_there:
            raise InputError(f"camera {number} is not there, or another program has it")
        while is_there:
            yield cv2.cvtColor(image, cv2.COLOR_BGR2RGB)
            is_there, image = capture.read()
    finally:
        capture.release()
    raise InputError(f"camera {number} gives no more pictures")


def _open_capture(number: int) -> cv2.VideoCapture:
    """Open a camera. Raises InputError where OpenCV can't."""
    # Else OpenCV tells of each driver that it tries.
    logging = cv2.utils.logging
    level = logging.setLogLevel(logging.LOG_LEVEL_SILENT)
    try:
        capture = cv2.VideoCapture(number)
        is_there = capture.isOpened()
    except cv2.error:
        is_there = False
    finally:
        logging.setLogLevel(level)
    if not is_there:
        raise InputError(f"camera {number} is not there, or another program has it")
    return capture


def _play(file: Path, stop: Event) -> Images:
    """Yield the images of a video file when they are due, again and again."""
    begun = time.monotonic()
    while not stop.is_set():
        last = 0.0
        try:
            with Video(file, MAX_PIXELS) as video:
                for frame in video.frames(Every()):
                    last = max(last, frame.time)
                    # A machine that can't keep up does not hurry afterwards.
                    begun = max(begun, time.monotonic() - frame.time)
                    if stop.wait(begun + frame.time - time.monotonic()):
                        return
                    yield frame.image
                pause = float(1 / video.rate)
        except UnusableVideoError as error:
            raise InputError(f"{file}: {error}") from None
        begun += last + pause
