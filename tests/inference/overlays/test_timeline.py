"""A page shows what lasts, not what flickers."""

from typing import Any

from affect.core.labels import EXPRESSIONS
from affect.core.predictions import PROBABILITIES
from affect.inference.overlays.page import CURVE, WIDTH, draw_curve
from affect.inference.overlays.timeline import MAX_FACES, MAX_FRAMES, FaceLine, read_timeline
from affect.inference.tables import Row


def make_rows(frame: int, faces: dict[int, str], valence: float | None = 0.0) -> list[Row]:
    rows: list[Row] = []
    for face, expression in faces.items():
        row: dict[str, Any] = {"frame": frame, "time": frame / 10, "face": face, "smoothed_expression": expression}
        row |= {f"smoothed_{name}": 0.2 for name in PROBABILITIES} | {
            f"smoothed_p_{expression}": 0.4 + 0.01 * (frame % 7)
        }
        rows.append(row | {"smoothed_valence": valence, "smoothed_arousal": valence})
    return rows or [{"frame": frame, "time": frame / 10, "face": 0}]


def test_a_change_that_lasts_is_shown_at_its_clearest() -> None:
    expressions = ["happy"] * 10 + ["fear"] * 2 + ["happy"] * 9 + ["sad"] * 7
    timeline = read_timeline(make_rows(frame, {1: name}) for frame, name in enumerate(expressions))
    spells = [(spell.expression, spell.start, spell.rows[0]["frame"]) for _, spell in timeline.changes()]
    assert spells == [("happy", 0.0, 6), ("happy", 1.2, 13), ("sad", 2.1, 27)]
    assert (timeline.frames, timeline.empty, timeline.seconds) == (28, 0, 2.7)


def test_a_face_that_is_gone_breaks_its_line() -> None:
    frames = [make_rows(frame, {} if 5 <= frame < 30 else {1: "happy"}, 1.0) for frame in range(40)]
    timeline = read_timeline(frames)
    assert timeline.empty == 25
    assert [(spell.start, spell.end) for spell in timeline.faces[1].spells] == [(0.0, 0.4), (3.0, 3.9)]
    path = draw_curve(timeline.faces[1], "valence", timeline.seconds)
    assert path.count("M") == 2
    assert path.startswith("M0.0 0.0L")
    assert path.endswith(f"{WIDTH:.1f} 0.0")


def test_what_is_unknown_has_no_curve() -> None:
    timeline = read_timeline([make_rows(0, {1: "happy"}, None)])
    assert draw_curve(timeline.faces[1], "valence", 0.0) == ""
    assert draw_curve(FaceLine(1, [(0.0, -1.0, 0.0)]), "valence", 0.0) == f"M0.0 {CURVE:.1f}"


def test_of_a_crowd_those_who_stay_are_shown() -> None:
    frames = [
        make_rows(frame, {face: EXPRESSIONS[frame // 10 % 8] for face in range(1, 30) if face % 2 == 0 or frame < 2})
        for frame in range(900)
    ]
    timeline = read_timeline(frames)
    assert [face.number for face in timeline.longest()] == list(range(2, 2 + 2 * MAX_FACES, 2))
    assert len(timeline.changes()) == MAX_FRAMES
