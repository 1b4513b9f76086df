"""What is said of each frame: faces that keep their numbers, values smoothed over the last second."""

import json
import math
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import simplejpeg

from affect.core.labels import EXPRESSIONS, VALENCE_AROUSAL
from affect.inference.face_predictor import FacePredictor
from affect.inference.live.newest import Newest
from affect.inference.overlays.drawing import draw_faces, values
from affect.inference.tables import Row
from affect.inference.videos.following import Follower
from affect.inference.videos.predicting import follow
from affect.inference.videos.reading import Frame
from affect.inference.videos.smoothing import smooth

# Seconds before a frame over which values are averaged, and over which frames a second are counted.
SMOOTHED_OVER, COUNTED_OVER = 1.0, 3.0
_JPEG_QUALITY = 80


@dataclass(frozen=True)
class Moment:
    """A frame for the page: a JPEG with the faces drawn on, and a JSON object of their values."""

    jpeg: bytes
    values: str


class Watcher:
    """Predicts frame after frame, and remembers the last seconds' rows."""

    def __init__(self, predictor: FacePredictor) -> None:
        self.predictor = predictor
        self.follower = Follower()
        self.recent: deque[Sequence[Row]] = deque()

    def look(self, frame: Frame) -> Moment:
        """Predict a frame that comes after all before it."""
        found = self.predictor.find_and_predict(frame.image, whole=False)
        rows = self._smooth(follow(self.follower, frame.number, frame.time, found))
        drawn = np.ascontiguousarray(draw_faces(frame.image, rows, panels=False))
        jpeg = simplejpeg.encode_jpeg(drawn, _JPEG_QUALITY, "RGB", "420")
        shown, read = self._rates()
        described = {
            "time": round(frame.time, 3),
            "predicted_per_second": shown,
            "read_per_second": read,
            "delay_ms": round(1000 * (time.monotonic() - frame.time)),
            "faces": [_describe(row) for row in rows if row["face"]],
        }
        return Moment(jpeg, json.dumps(described, allow_nan=False))

    def _smooth(self, rows: list[Row]) -> list[Row]:
        """Return a frame's rows with the means over the last second; nothing is known of what comes after it."""
        time = rows[0]["time"]
        while self.recent and self.recent[0][0]["time"] < time - COUNTED_OVER:
            self.recent.popleft()
        before = [past for past in self.recent if past[0]["time"] >= time - SMOOTHED_OVER]
        self.recent.append(rows)
        (smoothed,) = smooth([rows], 2 * SMOOTHED_OVER, before)
        return [{name: None if _is_nan(value) else value for name, value in row.items()} for row in smoothed]

    def _rates(self) -> tuple[float | None, float | None]:
        """Return how many frames a second are predicted, and how many the camera gives; None before the second one."""
        first, last = self.recent[0][0], self.recent[-1][0]
        seconds = last["time"] - first["time"]
        if seconds <= 0:
            return None, None
        return round((len(self.recent) - 1) / seconds, 1), round((last["frame"] - first["frame"]) / seconds, 1)


def watch(predictor: FacePredictor, frames: Newest[Frame], shown: Newest[Moment]) -> None:
    """Predict the newest frame, and show it, until no more frames come. Raises the fault that ended them."""
    side = predictor.network.image_size
    for faces in (1, 2):
        # Keras compiles for one face, and again for any number: seconds in which those in the picture would be lost.
        predictor.network.predict([np.zeros((faces, side, side, 3), np.uint8)])
    watcher, count = Watcher(predictor), 0
    while (taken := frames.take(count)) is not None:
        count, frame = taken
        shown.put(watcher.look(frame))


def _describe(row: Row) -> dict[str, object]:
    """Return what the page shows of a face."""
    expression, probabilities, pair = values(row)
    return {
        "face": row["face"],
        "expression": expression,
        "probabilities": dict(zip(EXPRESSIONS, probabilities, strict=True)),
        **dict(zip(VALENCE_AROUSAL, pair, strict=True)),
    }


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and math.isnan(value)
