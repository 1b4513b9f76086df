"""Which images are used, and that no person, picture or mirror image is on two sides, however the sides are made."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from affect.data.splitting.choice import choose
from affect.data.splitting.duplicates import HASHES
from affect.data.splitting.groups import join_people
from affect.plumbing.errors import InputError
from affect.plumbing.params import Data, load_params

# Of each image: its expression, the person on it (0: not known), which picture it is, and whether that is mirrored.
IMAGES = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 6), st.integers(0, 30), st.booleans()), min_size=8, max_size=50
)


def make_data(**changes: object) -> Data:
    params = load_params(ROOT / "params.yaml").data.model_dump() | {"sample_size": None, "val_fraction": 0.3}
    return Data(**(params | changes))


def make_faces(images: Sequence[tuple[int, int, int, bool]]) -> tuple[pd.DataFrame, np.ndarray]:
    """Return faces and their hashes: those of a picture and of its mirror image are each other's, mirrored."""
    hashes = np.zeros(len(images), HASHES)
    for row, (_, _, picture, mirrored) in enumerate(images):
        drawn = np.random.default_rng(picture).integers(0, 2**64, (2, 2, 4), dtype=np.uint64)
        own, other = (1, 0) if mirrored else (0, 1)
        hashes[row] = (drawn[own, 0], drawn[own, 1], drawn[other, 0], drawn[other, 1], False)
    faces = pd.DataFrame(
        {
            "id": [f"face{row}" for row in range(len(images))],
            "expression": [expression for expression, *_ in images],
            "person": [f"person{person}" if person else "" for _, person, *_ in images],
            "shown": [picture for _, _, picture, _ in images],
        }
    )
    return faces, hashes


def assert_no_one_on_two_sides(used: pd.DataFrame) -> None:
    assert used.groupby("shown")["split"].nunique().max() == 1
    known = used[used["person"] != ""]
    assert known.empty or known.groupby("person")["split"].nunique().max() == 1


def choose_if_possible(data: Data, images: Sequence[tuple[int, int, int, bool]]) -> pd.DataFrame:
    """Choose, or pass over an example whose groups are too few or too large for the splits."""
    try:
        return choose(data, *make_faces(images), None)
    except InputError:
        assume(False)
        raise


@settings(deadline=None, max_examples=60)
@given(IMAGES, st.sampled_from([0.0, 0.2]), st.sampled_from([1.0, 0.5]))
def test_no_one_is_on_two_sides_of_a_split_by_fractions(
    images: list[tuple[int, int, int, bool]], test: float, share: float
) -> None:
    assert_no_one_on_two_sides(choose_if_possible(make_data(test_fraction=test, train_fraction=share), images))


@settings(deadline=None, max_examples=40)
@given(IMAGES, st.integers(2, 4), st.sampled_from([1.0, 0.5]))
def test_no_one_is_on_two_sides_of_a_fold_and_each_image_is_tested_once(
    images: list[tuple[int, int, int, bool]], folds: int, share: float
) -> None:
    tested: list[str] = []
    for fold in range(1, folds + 1):
        used = choose_if_possible(make_data(folds=folds, fold=fold, train_fraction=share), images)
        assert_no_one_on_two_sides(used)
        assert set(used["split"]) == {"train", "val", "test"}
        tested += used["id"][used["split"] == "test"].tolist()
    assert sorted(tested) == sorted(f"face{row}" for row in range(len(images)))


@settings(deadline=None, max_examples=40)
@given(IMAGES, st.sampled_from([None, 2]))
def test_a_smaller_share_of_the_training_images_is_in_a_larger_one(
    images: list[tuple[int, int, int, bool]], folds: int | None
) -> None:
    whole = choose_if_possible(make_data(folds=folds), images)
    training = whole[whole["split"] == "train"]
    larger = set(training["id"])
    for share in (0.5, 0.25, 0.125):
        used = choose(make_data(folds=folds, train_fraction=share), *make_faces(images), None)
        kept = used[used["split"] == "train"]
        assert set(kept["id"]) <= larger
        assert set(kept["expression"]) == set(training["expression"])
        exact = training["expression"].value_counts().sort_index() * share
        assert ((kept["expression"].value_counts().sort_index() - exact).abs() <= np.maximum(0.5, 1 - exact)).all()
        larger = set(kept["id"])
        rest = used[used["split"] != "train"]
        pd.testing.assert_frame_equal(rest, whole[whole["split"] != "train"])


@given(st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["", *"abcde"])), min_size=1, max_size=30))
def test_groups_are_joined_by_people_directly_or_through_others(images: list[tuple[int, str]]) -> None:
    """As a search from image to image finds them."""
    pictures = np.array([picture for picture, _ in images])
    first = np.array([pictures.tolist().index(picture) for picture in pictures])
    people = pd.Series([person for _, person in images], index=range(100, 100 + len(images)))
    groups = join_people(first, people)
    for start in range(len(images)):
        reached, waiting = {start}, [start]
        while waiting:
            place = waiting.pop()
            for other, (picture, person) in enumerate(images):
                joined = picture == images[place][0] or (person and person == images[place][1])
                if joined and other not in reached:
                    reached.add(other)
                    waiting.append(other)
        assert set(np.flatnonzero(groups == groups[start])) == reached
        assert groups[start] == min(reached)


def make_official(train: int, val: int = 0, test: int = 0) -> tuple[pd.DataFrame, np.ndarray, pd.Series]:
    count = train + val + test
    faces, hashes = make_faces([(row % 4, 0, row, False) for row in range(count)])
    given = pd.Series(["train"] * train + ["val"] * val + ["test"] * test, faces["id"], name="split")
    return faces, hashes, given


def test_an_official_split_is_kept() -> None:
    faces, hashes, official = make_official(40, 12, 8)
    used = choose(make_data(), faces, hashes, official)
    assert used.set_index("id")["split"].sort_index().equals(official.sort_index().rename_axis("id"))
    assert used["split"].tolist() == ["train"] * 40 + ["val"] * 12 + ["test"] * 8


def test_validation_images_are_drawn_from_train_where_an_official_split_has_none() -> None:
    faces, hashes, official = make_official(40, 0, 20)
    used = choose(make_data(val_fraction=0.2), faces, hashes, official).set_index("id")
    assert used["split"].value_counts().to_dict() == {"train": 32, "test": 20, "val": 8}
    assert (official[used.index[used["split"] == "val"]] == "train").all()
    assert (official[used.index[used["split"] == "test"]] == "test").all()
    assert used["expression"][used["split"] == "val"].value_counts().tolist() == [2] * 4


def test_a_split_file_without_validation_images_is_refused() -> None:
    """What a user has listed is not added to."""
    faces, hashes, listed = make_official(40, 0, 20)
    with pytest.raises(InputError, match=r"the val split is empty with 60 images.*data\.split_file"):
        choose(make_data(split_file="data/splits/mine.csv"), faces, hashes, listed)


def test_a_sample_has_the_shares_of_an_official_split_and_of_its_expressions() -> None:
    faces, hashes, official = make_official(80, 40, 40)
    used = choose(make_data(sample_size=80), faces, hashes, official)
    shares = {"train": 10, "val": 5, "test": 5}
    assert pd.crosstab(used["split"], used["expression"]).to_dict("index") == {
        split: dict.fromkeys(range(4), share) for split, share in shares.items()
    }


def test_an_official_split_of_one_side_is_refused_by_what_would_change_it() -> None:
    faces, hashes, official = make_official(0, 20)
    with pytest.raises(InputError, match=r"the train split is empty with 20 images.*data\.official_split"):
        choose(make_data(), faces, hashes, official)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"folds": 3, "fold": 4}, r"fold\n.*at most data\.folds \(3\)"),
        ({"folds": 1}, "folds\n.*greater than or equal to 2"),
        ({"folds": 3, "split_file": "data/splits/mine.csv"}, r"folds\n.*null where data\.split_file says the split"),
        ({"train_fraction": 0.0}, "train_fraction\n.*greater than 0"),
    ],
)
def test_sides_that_contradict_each_other_are_refused(changes: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        make_data(**changes)
