"""The frames of a video file, upright and with their true times."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path, PurePath
from types import TracebackType

import av
import numpy as np
from av.error import FFmpegError, InvalidDataError

from affect.data.images.cropping import resize
from affect.inference.videos.every import Every

VIDEO_SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg"),
    *(".wmv", ".flv", ".3gp", ".mts", ".m2ts", ".vob", ".ogv", ".gif"),
)

# Seconds by which a time jumps back where times begin anew, and the least between two frames.
_NEW_START, _LEAST_STEP = 1.0, 0.001
# As FFmpeg and mkvmerge tag a stream of Matroska.
_TAGGED_DURATION = re.compile(r"(\d+):(\d+):([\d.]+)")
# A file may end this many seconds before it says so: sound often lasts longer than the picture.
_TOLERANCE = 0.5


class UnusableVideoError(Exception):
    """A file of which no frame can be read; says why, without the file's name."""


@dataclass(frozen=True)
class Frame:
    """A (height, width, 3) uint8 RGB picture; its number counts all frames of the file from 0.

    time: in seconds from where a player starts.
    """

    number: int
    time: float
    image: np.ndarray


def is_video(file: str) -> bool:
    """Whether a file's name has the ending of a video that is read."""
    return PurePath(file).suffix.lower() in VIDEO_SUFFIXES


class Video:
    """An open video file.

    fault: once all frames are read, what of the file could not be, in words; None if all could.
    Raises UnusableVideoError for what is no video, and for one over `max_pixels`.
    """

    def __init__(self, file: Path, max_pixels: int) -> None:
        self.fault: str | None = None
        self.added, self.disordered = 0.0, 0
        try:
            # By its bytes: FFmpeg would take some names for addresses, and open what a playlist names.
            if not file.is_file():
                raise UnusableVideoError("not a file")
            self.opened = file.open("rb")
            options = {"protocol_whitelist": "none"}
            self.container = av.open(self.opened, "r", metadata_errors="replace", options=options)
        except (FFmpegError, OSError) as error:
            raise UnusableVideoError(f"not a video that can be read ({error.strerror})") from None
        if not self.container.streams.video:
            raise UnusableVideoError("has no picture")
        self.stream = self.container.streams.video[0]
        # Of a stream that no decoder here knows.
        if self.stream.codec_context is None:
            raise UnusableVideoError("has a picture that FFmpeg can't decode")
        width, height = self.stream.width, self.stream.height
        if width * height > max_pixels:
            raise UnusableVideoError(f"is {width}x{height}, over {max_pixels} pixels")
        self.stream.thread_type = "AUTO"
        self.start = Fraction(self.container.start_time or 0, av.time_base)

    def __enter__(self) -> "Video":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.container.close()
        self.opened.close()

    @property
    def rate(self) -> Fraction:
        """Frames a second, on average."""
        return self.stream.average_rate or Fraction(25)

    def step(self, every: Every) -> float:
        """Return the seconds between two frames to take, on average."""
        return every.seconds or float(every.frames / self.rate)

    @property
    def duration(self) -> float | None:
        """The seconds after the start at which the picture should end, if the file says so."""
        if self.stream.duration is not None and self.stream.time_base is not None:
            return float((self.stream.duration + (self.stream.start_time or 0)) * self.stream.time_base - self.start)
        # Matroska counts from 0, wherever the first frame is.
        if tagged := _TAGGED_DURATION.fullmatch(self.stream.metadata.get("DURATION", "")):
            hours, minutes, seconds = map(float, tagged.groups())
            return 3600 * hours + 60 * minutes + seconds - float(self.start)
        if self.container.duration is not None:
            return self.container.duration / av.time_base - float(self.start)
        return None

    def count(self, every: Every) -> int | None:
        """Return how many frames there should be, if the file says so: for a progress bar alone."""
        if self.duration is None:
            return None
        if every.seconds:
            return min(math.ceil(self.duration / every.seconds), math.ceil(self.duration * self.rate))
        return math.ceil(self.duration * self.rate / every.frames)

    def frames(self, every: Every, after: int = -1) -> Iterator[Frame]:
        """Yield the frames to take, in order, that come after the one of a number.

        Raises UnusableVideoError where there is no frame at all.
        """
        slot, number, time = -1, -1, -math.inf
        for number, decoded in enumerate(self._decode()):
            time = self._follow_time(number, decoded, time)
            if every.seconds:
                # A thousandth early counts: times in files are rounded.
                taken, slot = slot, max(slot, math.floor((time + 1e-3) / every.seconds))
                wanted = slot > taken
            else:
                wanted = number % every.frames == 0
            if wanted and number > after:
                yield Frame(number, time, _upright(decoded, self.stream.sample_aspect_ratio))
        if number < 0:
            raise UnusableVideoError("has no frame that can be read")
        missing = (self.duration or 0) - (time + 1 / self.rate)
        # Sound may last longer, where the file does not say how long the picture does.
        if missing > (_TOLERANCE if len(self.container.streams) == 1 or self.stream.duration else 4 * _TOLERANCE):
            self.fault = f"ends after {time:.1f} s, {missing:.1f} s before it should; all up to there is done"
        elif self.disordered and not self.fault:
            self.fault = f"is damaged: {self.disordered} frames are not in their order"

    def _follow_time(self, number: int, frame: av.VideoFrame, last: float) -> float:
        """Return a frame's time, after that of the last one.

        Where times begin anew, as in files that were joined, they go on after the last; a single one in disorder is put
        behind it.
        """
        time = self._time(number, frame) + self.added
        if time < last - _NEW_START:
            self.added += last + float(1 / self.rate) - time
            time = last + float(1 / self.rate)
        elif time <= last:
            self.disordered += 1
            time = last + _LEAST_STEP
        return round(time, 6)

    def _time(self, number: int, frame: av.VideoFrame) -> float:
        """Return a frame's seconds after the start; of a file without times, those at an even rate."""
        if frame.pts is None or frame.time_base is None:
            return float(number / self.rate)
        return float(frame.pts * frame.time_base - self.start)

    def _decode(self) -> Iterator[av.VideoFrame]:
        """Yield what can be decoded; damaged parts are passed over, and counted in `fault`."""
        damaged = 0
        try:
            for packet in self.container.demux(self.stream):
                try:
                    yield from (frame for frame in packet.decode() if isinstance(frame, av.VideoFrame))
                except InvalidDataError:
                    damaged += 1
        except FFmpegError as error:
            self.fault = f"can't be read to its end ({error.strerror}); all up to there is done"
        if damaged:
            self.fault = f"{damaged} damaged parts are left out"


def _upright(frame: av.VideoFrame, aspect: Fraction | None) -> np.ndarray:
    """Return a frame's picture as a player shows it: of square pixels, and turned as the file asks."""
    image = frame.to_ndarray(format="rgb24")
    if aspect and aspect != 1:
        image = resize(image, max(1, round(image.shape[1] * aspect)), image.shape[0])
    return np.ascontiguousarray(np.rot90(image, round(frame.rotation / 90))) if frame.rotation else image
