"""A face keeps its number while it moves, and while it is lost for a moment."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affect.inference.videos.following import MAX_GAP, Follower, overlap

LEFT, RIGHT = (10.0, 10.0, 50.0, 60.0), (100.0, 10.0, 50.0, 60.0)


def moved(box: tuple[float, ...], by: float) -> tuple[float, ...]:
    return (box[0] + by, *box[1:])


def test_faces_that_cross_keep_their_numbers() -> None:
    follower = Follower()
    for step in range(10):
        first, second = moved(LEFT, 9.5 * step), (*moved(RIGHT, -9.5 * step)[:1], 80.0, 50.0, 60.0)
        left_first = first[0] <= second[0]
        boxes = [first, second] if left_first else [second, first]
        assert follower.number(step / 25, boxes) == ([1, 2] if left_first else [2, 1])


def test_a_face_that_is_lost_for_a_moment_keeps_its_number() -> None:
    follower = Follower()
    assert follower.number(0.0, [LEFT, RIGHT]) == [1, 2]
    assert follower.number(0.5, [RIGHT]) == [2]
    assert follower.number(MAX_GAP, [LEFT, RIGHT]) == [1, 2]
    assert follower.number(MAX_GAP + 0.1, []) == []
    assert follower.number(2 * MAX_GAP + 0.2, [LEFT]) == [3]


def test_one_that_comes_elsewhere_has_a_new_number() -> None:
    follower = Follower()
    assert follower.number(0.0, [LEFT]) == [1]
    assert follower.number(0.04, [RIGHT]) == [2]
    assert follower.number(0.08, [LEFT, RIGHT]) == [1, 2]


boxes = st.lists(
    st.tuples(*[st.floats(0, 100, width=16)] * 2, *[st.floats(1, 60, width=16)] * 2), max_size=4, unique=True
)


@settings(max_examples=100, deadline=None)
@given(frames=st.lists(boxes, max_size=8), split=st.integers(0, 8))
def test_it_goes_on_after_what_it_remembers(frames: list[list[tuple[float, ...]]], split: int) -> None:
    whole, times = Follower(), [0.4 * number for number in range(len(frames))]
    numbers = [whole.number(time, frame) for time, frame in zip(times, frames, strict=True)]
    assert all(len(set(each)) == len(each) for each in numbers)
    resumed = Follower()
    for time, frame, each in list(zip(times, frames, numbers, strict=True))[:split]:
        resumed.remember(time, zip(each, frame, strict=True))
    rest = zip(times[split:], frames[split:], strict=True)
    assert [resumed.number(time, frame) for time, frame in rest] == numbers[split:]


def test_the_overlap_is_that_of_the_areas() -> None:
    assert overlap((0, 0, 10, 10), (0, 5, 10, 10)) == pytest.approx(1 / 3)
    assert overlap((0, 0, 10, 10), (2, 2, 5, 5)) == pytest.approx(0.25)
    assert overlap((0, 0, 10, 10), (20, 0, 10, 10)) == 0
    assert overlap((0, 0, 0, 0), (0, 0, 0, 0)) == 0


def test_frames_far_apart_need_a_longer_gap() -> None:
    follower = Follower(3.0)
    assert [follower.number(time, [LEFT]) for time in (0.0, 2.0, 4.0, 7.5)] == [[1], [1], [1], [2]]
