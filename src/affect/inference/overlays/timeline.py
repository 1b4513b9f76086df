"""A video's faces over time: curves, the expressions in turn, and the frames that show them best."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from affect.core.labels import EXPRESSIONS
from affect.inference.overlays.drawing import values
from affect.inference.tables import Row
from affect.inference.videos.following import MAX_GAP

# Seconds that an expression must last to be shown as a change.
MIN_LASTS = 0.5
# Frames of a video, and faces, that a page shows at most: those of the longest times.
MAX_FRAMES, MAX_FACES = 60, 8


@dataclass
class Spell:
    """A time in which a face has one expression; rows are those of the frame where it is clearest."""

    expression: str
    start: float
    end: float
    highest: float
    rows: Sequence[Row]


@dataclass
class FaceLine:
    """A face over time: (seconds, valence or None, arousal or None) of each frame, and its spells."""

    number: int
    points: list[tuple[float, float | None, float | None]] = field(default_factory=list)
    spells: list[Spell] = field(default_factory=list)

    def add(self, row: Row, rows: Sequence[Row], max_gap: float) -> None:
        """Add the face's row of the next frame, which has those rows; over `max_gap` seconds nothing lasts."""
        expression, probabilities, (valence, arousal) = values(row)
        time, probability = row["time"], probabilities[EXPRESSIONS.index(expression)]
        self.points.append((time, valence, arousal))
        last = self.spells[-1] if self.spells else None
        goes_on = last is not None and time - last.end <= max_gap
        if last is not None and goes_on:
            last.end = time
        if last is None or last.expression != expression or not goes_on:
            self.spells.append(Spell(expression, time, time, probability, rows))
            return
        if probability > last.highest:
            last.rows, last.highest = rows, probability


@dataclass
class Timeline:
    """The faces of a video by their numbers, its seconds, and its frames with and without a face."""

    faces: dict[int, FaceLine] = field(default_factory=dict)
    seconds: float = 0.0
    frames: int = 0
    empty: int = 0

    def longest(self) -> list[FaceLine]:
        """Return the MAX_FACES faces that are seen in most frames, by their numbers."""
        most = sorted(self.faces.values(), key=lambda face: -len(face.points))[:MAX_FACES]
        return sorted(most, key=lambda face: face.number)

    def changes(self) -> list[tuple[FaceLine, Spell]]:
        """Return the MAX_FRAMES longest spells that last MIN_LASTS, in order."""
        spells = [(face, spell) for face in self.longest() for spell in face.spells]
        clear = [pair for pair in spells if pair[1].end - pair[1].start >= MIN_LASTS]
        longest = sorted(clear, key=lambda pair: pair[1].start - pair[1].end)[:MAX_FRAMES]
        return sorted(longest, key=lambda pair: (pair[1].start, pair[0].number))


def read_timeline(pictures: Iterable[Sequence[Row]], max_gap: float = MAX_GAP) -> Timeline:
    """Gather the rows of the frames of one video, in order. max_gap: seconds for which a face may be lost."""
    timeline = Timeline()
    for rows in pictures:
        timeline.frames += 1
        timeline.seconds = rows[0]["time"]
        timeline.empty += rows[0]["face"] == 0
        for row in rows:
            if row["face"]:
                timeline.faces.setdefault(row["face"], FaceLine(row["face"])).add(row, rows, max_gap)
    return timeline
