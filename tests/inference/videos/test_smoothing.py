"""A smoothed value is the mean of the face's own values in the window, whatever else is in the frames."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affect.core.labels import EXPRESSIONS
from affect.core.predictions import PROBABILITIES
from affect.core.rng import rng_for
from affect.inference.tables import Row
from affect.inference.videos.smoothing import SMOOTHED, smooth


def draw_frames(times: list[float], faces: list[list[int]]) -> list[list[Row]]:
    """Draw values for the faces that are in each frame; a frame without a face has one row of face 0."""
    frames: list[list[Row]] = []
    for frame, (time, present) in enumerate(zip(times, faces, strict=True)):
        rows: list[Row] = []
        for face in present:
            rng = rng_for(0, "smoothing", frame, face)
            probabilities = rng.dirichlet(np.ones(8)).round(6).tolist()
            valence, arousal = rng.uniform(-1, 1, 2).round(6).tolist()
            row = {"time": time, "face": face, "predicted_valence": valence, "predicted_arousal": arousal}
            rows.append(row | dict(zip(PROBABILITIES, probabilities, strict=True)))
        frames.append(rows or [{"time": time, "face": 0}])
    return frames


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_it_is_the_mean_over_the_window_also_after_an_interruption(data: st.DataObject) -> None:
    steps = data.draw(st.lists(st.floats(0.01, 0.5), min_size=1, max_size=15))
    times = np.cumsum(steps).round(6).tolist()
    faces = data.draw(st.lists(st.lists(st.integers(1, 3), unique=True), min_size=len(times), max_size=len(times)))
    window = data.draw(st.sampled_from([0.0, 0.3, 1.0, 60.0]))
    frames = draw_frames(times, faces)
    smoothed = list(smooth(frames, window))
    assert [[row["face"] for row in rows] for rows in smoothed] == [[row["face"] for row in rows] for rows in frames]
    for rows in smoothed:
        for row in rows:
            if row["face"]:
                values = [
                    other["predicted_valence"]
                    for others in frames
                    for other in others
                    if other["face"] == row["face"] and round(abs(other["time"] - row["time"]), 6) <= window / 2
                ]
                assert row["smoothed_valence"] == pytest.approx(np.mean(values), abs=1e-6)
                highest = max(PROBABILITIES, key=lambda name: row[f"smoothed_{name}"])
                assert row["smoothed_expression"] == highest.removeprefix("p_")
    split = data.draw(st.integers(0, len(frames)))
    assert list(smooth(frames[split:], window, frames[:split])) == smoothed[split:]


def test_without_a_window_it_is_the_value_itself() -> None:
    (row,) = next(smooth(draw_frames([0.0, 0.1], [[1], [1]]), 0.0))
    assert [row[name] for name in SMOOTHED[1:9]] == [row[name] for name in PROBABILITIES]
    assert row["smoothed_expression"] == EXPRESSIONS[int(np.argmax([row[name] for name in PROBABILITIES]))]


def test_what_the_network_has_not_learnt_stays_unknown() -> None:
    frames = draw_frames([0.0, 0.1], [[1], [1]])
    for rows in frames:
        rows[0] |= {"predicted_valence": None, "predicted_arousal": float("nan")}
    (row,) = next(smooth(frames, 1.0))
    assert np.isnan([row["smoothed_valence"], row["smoothed_arousal"]]).all()
    assert row["smoothed_p_happy"] > 0
