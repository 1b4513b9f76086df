"""From a video to rows: a frame after the other, in constant memory."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence

from affect.inference.face_predictor import BLOCK, BOX, FacePredictor
from affect.inference.tables import Row
from affect.inference.videos.following import Follower, longest_gap
from affect.inference.videos.reading import Every, Video
from affect.inference.videos.smoothing import smooth

_WHOLE = [0.0, 0.0, 1.0, 1.0]


def predict_video(
    predictor: FacePredictor, video: Video, every: Every, window: float, before: Iterable[Sequence[Row]] = ()
) -> Iterator[list[Row]]:
    """Yield the rows of each frame to take: the faces by their numbers, which they keep from frame to frame.

    window: seconds over which values are smoothed. before: the rows of the frames that an earlier run has finished, in
    order; those that come after them are yielded, and are as if it had gone on.
    """
    follower = Follower(longest_gap(video.step(every)))
    recent: deque[Sequence[Row]] = deque()
    done = after = -1
    for number, rows in enumerate(before, 1):
        follower.remember(rows[0]["time"], [(row["face"], _box(row)) for row in rows if row["face"]])
        recent.append(rows)
        while recent[0][0]["time"] < rows[0]["time"] - window:
            recent.popleft()
        done = rows[0]["frame"]
        if number % BLOCK == 0:
            after = done
    frames = (((frame.number, frame.time), frame.image) for frame in video.frames(every, after))
    predicted = predictor.predict_each(frames, whole=False)
    new = ((number, time, rows) for (number, time), rows in predicted if number > done)
    yield from smooth((follow(follower, *frame) for frame in new), window, recent)


def follow(follower: Follower, number: int, time: float, rows: Sequence[Row]) -> list[Row]:
    """Return the rows of a frame with its number and time, and the numbers of its faces."""
    place: Row = {"frame": number, "time": time}
    if not rows[0]["face"]:
        return [place | rows[0]]
    numbers = follower.number(time, [_box(row) for row in rows])
    return [place | row | {"face": face} for row, face in zip(rows, numbers, strict=True)]


def _box(row: Row) -> list[float]:
    """Return a face's box; without a detector all frames are of one face."""
    return [row[name] for name in BOX] if row.get("left") is not None else _WHOLE
