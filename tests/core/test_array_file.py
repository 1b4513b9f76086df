"""ArrayFile on disk are the array that was written, whoever reads them and however."""

import pickle
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from affect.core.array_file import ArrayFile

VALUES = np.random.default_rng(0).normal(size=(6, 2, 3)).astype(np.float32)


@pytest.fixture
def rows(tmp_path: Path) -> ArrayFile:
    rows = ArrayFile((tmp_path / "rows").open("w+b", buffering=0), VALUES.shape, np.float32, offset=16)
    rows.write(3, VALUES[3:])
    rows.write(0, VALUES[:3])
    return rows


@pytest.mark.parametrize("key", [0, -1, slice(None), slice(1, 5, 2), slice(4, 99), [5, 0, 0], np.array([2, -2]), []])
def test_rows_are_read_as_those_of_an_array(rows: ArrayFile, key: Any) -> None:
    np.testing.assert_array_equal(rows[key], VALUES[key])


@pytest.mark.parametrize("key", [6, [0, -7]])
def test_a_row_that_is_not_there_is_refused(rows: ArrayFile, key: Any) -> None:
    with pytest.raises(IndexError):
        rows[key]


def test_a_part_is_read_and_written_in_its_place(rows: ArrayFile) -> None:
    part = rows.slice(2, 5)
    assert len(part) == 3
    np.testing.assert_array_equal(part[[2, 0]], VALUES[[4, 2]])
    part.write(1, np.zeros((1, 2, 3)))
    assert not rows[3].any()
    np.testing.assert_array_equal(rows[[2, 4]], VALUES[[2, 4]])


def test_a_copy_in_another_process_is_the_same_file(rows: ArrayFile) -> None:
    copy = pickle.loads(pickle.dumps(rows.slice(1, 4)))
    np.testing.assert_array_equal(copy[:], VALUES[1:4])
    copy.write(0, np.ones((1, 2, 3)))
    assert (rows[1] == 1).all()


@given(order=st.permutations(range(6)), kept=st.integers(0, 6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_are_arranged_in_place(rows: ArrayFile, order: list[int], kept: int) -> None:
    rows.write(0, VALUES)
    rows.reorder(order[:kept])
    np.testing.assert_array_equal(rows[:kept], VALUES[order[:kept]])
    assert sorted(rows[:].sum(axis=(1, 2))) == sorted(VALUES.sum(axis=(1, 2)))


@pytest.mark.parametrize(("first", "shape"), [(0, (1, 3, 2)), (5, (2, 2, 3)), (-1, (1, 2, 3))])
def test_what_does_not_fit_is_refused(rows: ArrayFile, first: int, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        rows.write(first, np.zeros(shape))
    np.testing.assert_array_equal(rows[:], VALUES)


def test_a_file_cut_short_is_named(rows: ArrayFile, tmp_path: Path) -> None:
    rows.file.truncate(30)
    with pytest.raises(OSError, match=r"cut short.*rows"):
        rows[1]


def test_bfloat16_is_kept() -> None:
    with tempfile.TemporaryFile(buffering=0) as file:
        rows = ArrayFile(file, VALUES.shape, tf.bfloat16.as_numpy_dtype)
        rows.write(0, VALUES)
        np.testing.assert_array_equal(rows[:], tf.cast(VALUES, tf.bfloat16).numpy())
