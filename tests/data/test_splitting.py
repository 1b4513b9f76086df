"""The sample and the split: exact shares, whole groups, and draws that depend on the image alone."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from affect.data.splitting.choice import name_split, require_images
from affect.data.splitting.fractions import split_by_fraction
from affect.data.splitting.sampling import sample_stratified
from affect.data.splitting.split_file import read_split_file
from affect.plumbing.errors import InputError
from affect.plumbing.params import load_params

LABELS_AND_GROUPS = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 9)), min_size=1, max_size=60)


def make_faces(expressions: list[int], groups: list[str] | None = None) -> pd.DataFrame:
    ids = [f"face{number}" for number in range(len(expressions))]
    return pd.DataFrame({"expression": expressions, "group": groups or ids}, index=pd.Index(ids, name="id"))


@pytest.mark.parametrize(
    ("data", "given", "named"),
    [
        ({"folds": 5}, None, "folds"),
        ({}, None, "drawn"),
        ({"split_file": "data/splits/mine.csv"}, ["train", "val"], "split_file"),
        ({}, ["train", "val", "test"], "official"),
        ({}, ["train", "test"], "official_without_val"),
    ],
)
def test_where_the_split_comes_from_is_named(data: dict, given: list[str] | None, named: str) -> None:
    params = load_params(ROOT / "params.yaml").data.model_copy(update=data)
    assert name_split(params, None if given is None else pd.Series(given)) == named


def test_affectnets_validation_set_is_sampled_and_split_as_in_the_report() -> None:
    faces = make_faces(np.repeat(range(8), [500] * 7 + [499]).tolist())
    sample = faces.loc[sample_stratified(faces["expression"], 1000, seed=1)]
    assert sample["expression"].value_counts().tolist() == [125] * 8
    split = split_by_fraction(sample, {"val": 0.2, "test": 0.0}, seed=1)
    assert split.value_counts().to_dict() == {"train": 800, "val": 200}
    assert sample["expression"][split == "val"].value_counts().tolist() == [25] * 8


@given(st.lists(st.integers(0, 7), min_size=1, max_size=60), st.data())
def test_a_sample_has_its_size_and_each_expressions_share(expressions: list[int], data: st.DataObject) -> None:
    faces = make_faces(expressions)
    size = data.draw(st.integers(1, len(expressions)))
    chosen = faces.loc[sample_stratified(faces["expression"], size, seed=0)]
    assert len(chosen) == size
    exact = faces["expression"].value_counts() * size / len(faces)
    counts = chosen["expression"].value_counts().reindex(exact.index, fill_value=0)
    assert ((counts - exact).abs() < 1).all()


@settings(deadline=None)
@given(
    LABELS_AND_GROUPS,
    st.floats(0, 0.5),
    st.floats(0, 0.4),
)
def test_groups_stay_whole(faces: list[tuple[int, int]], val: float, test: float) -> None:
    table = make_faces([expression for expression, _ in faces], [f"group{group}" for _, group in faces])
    split = split_by_fraction(table, {"val": val, "test": test}, seed=0)
    assert split.groupby(table["group"]).nunique().max() == 1
    for name, fraction in (("val", val), ("test", test)):
        quotas = (fraction * table["expression"].value_counts()).round()
        counts = table["expression"][split == name].value_counts().reindex(quotas.index, fill_value=0)
        assert (counts - quotas).abs().sum() <= quotas.sum()


def test_order_does_not_matter() -> None:
    faces = make_faces([0, 1] * 20)
    reverse = faces[::-1]
    fractions = {"val": 0.25, "test": 0.25}
    pd.testing.assert_series_equal(
        split_by_fraction(faces, fractions, 3).sort_index(), split_by_fraction(reverse, fractions, 3).sort_index()
    )
    assert set(sample_stratified(faces["expression"], 10, 3)) == set(sample_stratified(reverse["expression"], 10, 3))


def test_another_seed_is_another_draw() -> None:
    faces = make_faces([0] * 40)
    assert not split_by_fraction(faces, {"val": 0.5}, 1).equals(split_by_fraction(faces, {"val": 0.5}, 2))
    assert set(sample_stratified(faces["expression"], 10, 1)) != set(sample_stratified(faces["expression"], 10, 2))


def test_a_larger_sample_contains_the_smaller_one() -> None:
    expressions = make_faces([0, 1, 2, 3] * 25)["expression"]
    assert set(sample_stratified(expressions, 20, 5)) < set(sample_stratified(expressions, 40, 5))


def test_too_large_a_sample_is_refused() -> None:
    with pytest.raises(InputError, match=r"data\.sample_size is 5, but only 4 images"):
        sample_stratified(make_faces([0] * 4)["expression"], 5, 0)


def test_an_empty_split_is_refused() -> None:
    faces = pd.DataFrame({"split": ["train", "train"], "group": ["a", "b"], "picture": ["a", "b"]})
    with pytest.raises(InputError, match="the val split is empty with 2 images; use more"):
        require_images(faces, ("train", "val"))


def test_duplicates_that_leave_a_split_empty_are_named() -> None:
    faces = pd.DataFrame({"split": ["train"] * 4, "group": ["a", "a", "a", "b"], "picture": ["a", "a", "a", "b"]})
    with pytest.raises(InputError, match=r"of 2 people .*\(up to 3 images each\); .*data\.duplicate_distance"):
        require_images(faces, ("train", "val"))


def test_people_who_leave_a_fold_without_validation_are_not_taken_for_copies() -> None:
    faces = pd.DataFrame({"split": ["train"] * 3, "group": ["a", "a", "b"], "picture": ["a", "b", "c"]})
    with pytest.raises(InputError, match=r"of 2 people .*change data\.folds or data\.val_fraction") as refused:
        require_images(faces, ("train", "val"), in_folds=True)
    assert "duplicate" not in str(refused.value)


def test_groups_larger_than_the_quota_get_as_near_to_it_as_they_can() -> None:
    """24 clips of 6 frames, 3 an expression: a fifth of 18 frames is 4, and one clip is nearer to it than none."""
    clips = np.repeat(np.arange(24), 6)
    faces = make_faces((clips % 8).tolist(), [f"clip{clip}" for clip in clips])
    val = split_by_fraction(faces, {"val": 0.2}, seed=1) == "val"
    assert faces["expression"][val].value_counts().to_dict() == dict.fromkeys(range(8), 6)
    assert faces["group"][val].nunique() == 8


def test_a_group_too_large_to_bring_a_split_nearer_stays_in_train() -> None:
    faces = make_faces([0] * 20, ["clip"] * 19 + ["alone"])
    assert faces.index[split_by_fraction(faces, {"val": 0.2}, seed=1) == "val"].tolist() == ["face19"]


@settings(deadline=None)
@given(
    LABELS_AND_GROUPS,
    st.floats(0, 0.6),
    st.floats(0, 0.39),
)
def test_no_expression_is_lost_to_training(faces: list[tuple[int, int]], val: float, test: float) -> None:
    table = make_faces([expression for expression, _ in faces], [f"group{group}" for _, group in faces])
    split = split_by_fraction(table, {"val": val, "test": test}, seed=0)
    assert set(table["expression"][split == "train"]) == set(table["expression"])


def test_each_image_counts_under_its_own_expression() -> None:
    """Ten pictures, each once as neutral and three times as happy, beside thirty neutral ones."""
    groups = [f"picture{number // 4}" for number in range(40)] + [f"alone{number}" for number in range(30)]
    faces = make_faces([0, 1, 1, 1] * 10 + [0] * 30, groups)
    for seed in range(10):
        val = split_by_fraction(faces, {"val": 0.2}, seed) == "val"
        assert faces["expression"][val].value_counts().to_dict() == {0: 8, 1: 6}


def test_ids_of_a_split_file_are_text(tmp_path: Path) -> None:
    file = tmp_path / "split.csv"
    file.write_text("id,split\n007,train\nNA,val\n")
    assert read_split_file(file).to_dict() == {"007": "train", "NA": "val"}


def test_ids_of_a_split_file_that_a_mac_has_written_are_those_of_the_dataset(tmp_path: Path) -> None:
    file = tmp_path / "split.csv"
    file.write_text("id,split\ne\u0301te\u0301,train\n", encoding="utf-8")
    assert read_split_file(file).index.tolist() == ["\u00e9t\u00e9"]
