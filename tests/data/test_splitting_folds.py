"""Folds: whole groups, every expression in each where that can be, the same ones whatever the order of the files."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affect.data.splitting.folds import split_into_folds
from affect.plumbing.errors import InputError

# Of each group: how many images of which expressions.
GROUPS = st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=5), min_size=4, max_size=14)


def make_faces(groups: Sequence[Sequence[int]]) -> pd.DataFrame:
    rows = [(expression, f"group{number}") for number, group in enumerate(groups) for expression in group]
    table = pd.DataFrame(rows, columns=["expression", "group"])
    return table.set_index(pd.Index([f"face{row}" for row in range(len(table))], name="id"))


def count_lacking(faces: pd.DataFrame, fold: pd.Series, folds: int) -> int:
    """Count the folds without an expression, over those expressions that enough groups have."""
    wanted = faces.groupby("expression")["group"].nunique() >= folds
    present = pd.crosstab(fold, faces["expression"]).reindex(range(1, folds + 1), fill_value=0)
    return int((present.loc[:, wanted[wanted].index] == 0).to_numpy().sum())


@settings(deadline=None, max_examples=60)
@given(GROUPS, st.integers(2, 4), st.integers(0, 3))
def test_groups_stay_whole_and_each_image_is_in_one_fold(groups: list[list[int]], folds: int, seed: int) -> None:
    faces = make_faces(groups)
    fold = split_into_folds(faces, folds, seed)
    assert fold.index.equals(faces.index)
    assert set(fold) <= set(range(1, folds + 1))
    assert fold.groupby(faces["group"]).nunique().max() == 1


@settings(deadline=None, max_examples=60)
@given(GROUPS, st.integers(2, 4), st.randoms(use_true_random=False))
def test_the_order_of_the_files_does_not_matter(groups: list[list[int]], folds: int, order: object) -> None:
    faces = make_faces(groups)
    rows = list(range(len(faces)))
    order.shuffle(rows)  # type: ignore[attr-defined]
    shuffled = split_into_folds(faces.iloc[rows], folds, 0)
    pd.testing.assert_series_equal(shuffled.reindex(faces.index), split_into_folds(faces, folds, 0))


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(1, 9)), min_size=5, max_size=60),
    st.integers(2, 5),
    st.integers(0, 3),
)
def test_an_expression_that_enough_groups_have_is_in_every_fold(
    groups: list[tuple[int, int]], folds: int, seed: int
) -> None:
    """Of groups with one expression each, as of people who were asked for one, or of pictures."""
    faces = make_faces([[expression] * size for expression, size in groups])
    assert count_lacking(faces, split_into_folds(faces, folds, seed), folds) == 0


@settings(deadline=None, max_examples=150)
@given(GROUPS, st.integers(2, 4), st.integers(0, 3))
def test_no_move_and_no_exchange_would_mend_a_fold(groups: list[list[int]], folds: int, seed: int) -> None:
    """Groups of several expressions: where a fold lacks one, no single step leaves fewer such places."""
    faces = make_faces(groups)
    fold = split_into_folds(faces, folds, seed)
    lacking = count_lacking(faces, fold, folds)
    if not lacking:
        return
    of_group = fold.groupby(faces["group"]).first()
    names = list(of_group.index)
    steps = [{name: target} for name in names for target in range(1, folds + 1)]
    steps += [{one: of_group[other], other: of_group[one]} for one in names for other in names if one < other]
    for step in steps:
        after = faces["group"].map(of_group.to_dict() | step)
        assert count_lacking(faces, after, folds) >= lacking


def test_folds_that_are_dealt_badly_are_mended() -> None:
    """Two rare expressions that come in pairs: dealing alone would leave a fold without one of them."""
    for seed in range(20):
        groups = [[0] * 6 + [1], [0] * 5 + [1], [0] * 4 + [2], [0] * 3 + [2], [0] * 2, [0]]
        faces = make_faces(groups)
        fold = split_into_folds(faces, 2, seed)
        assert count_lacking(faces, fold, 2) == 0


def test_folds_are_even() -> None:
    rng = np.random.default_rng(1)
    people = rng.integers(0, 120, 3000)
    faces = make_faces([rng.choice(8, (people == person).sum()).tolist() for person in range(120)])
    counts = pd.crosstab(split_into_folds(faces, 5, 1), faces["expression"])
    assert (np.abs(counts / counts.mean() - 1) < 0.1).all(axis=None)


def test_another_seed_is_another_deal() -> None:
    faces = make_faces([[0]] * 40)
    assert not split_into_folds(faces, 4, 1).equals(split_into_folds(faces, 4, 2))


def test_more_folds_than_groups_are_refused() -> None:
    with pytest.raises(InputError, match=r"data\.folds is 3, but the images are of 2 groups \(people, or copies"):
        split_into_folds(make_faces([[0, 1, 2], [0]]), 3, 0)
