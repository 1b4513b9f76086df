"""Which frames of a video are taken."""

import math
from argparse import ArgumentTypeError
from dataclasses import dataclass


@dataclass(frozen=True)
class Every:
    """Which frames are taken: one of so many frames or, if given, the first of each so many seconds."""

    frames: int = 1
    seconds: float | None = None

    @classmethod
    def parse(cls, text: str) -> "Every":
        """Read `5` as frames and `0.2s` as seconds. Raises ArgumentTypeError for anything else, and for none."""
        number = text.removesuffix("s")
        try:
            every = cls(frames=int(text)) if number == text else cls(seconds=float(number))
        except ValueError:
            every = cls(frames=0)
        if every.frames < 1 or (every.seconds is not None and not 0 < every.seconds < math.inf):
            raise ArgumentTypeError(f"{text!r} is neither a number of frames, as 5, nor of seconds, as 0.2s")
        return every
