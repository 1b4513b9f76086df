"""Groups divide the images, have the metrics of their images, and are called different only where they are."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import draw_predictions
from hypothesis import given, settings
from hypothesis import strategies as st

from affect.core.records import ATTRIBUTE
from affect.evaluation.groups.division import Group, find_groups
from affect.evaluation.groups.results import MIN_IMAGES, evaluate_groups
from affect.evaluation.results import evaluate, evaluate_predictions

IMAGES = 240
CHOSEN = {"emotion": ("accuracy", "f1"), "valence": ("ccc",), "arousal": ("ccc",)}


def index_of(**columns: object) -> pd.DataFrame:
    return pd.DataFrame({f"{ATTRIBUTE}{name}": values for name, values in columns.items()})


def choose(metrics: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    return {task: {name: metrics[task][name] for name in names} for task, names in CHOSEN.items()}


texts = st.lists(st.sampled_from(["", "a", "b", "c", "10", "9"]), min_size=1, max_size=60)
numbers = st.lists(st.integers(-40, 40).map(str) | st.just(""), min_size=1, max_size=200)


@settings(deadline=None)
@given(texts | numbers)
def test_groups_divide_the_images_whose_value_is_known(values: list[str]) -> None:
    groups = find_groups(index_of(kind=values))
    known = np.array([value != "" for value in values])
    assert np.sum([group.members for group in groups], axis=0).tolist() == known.tolist() if groups else not known.any()
    assert all(group.members.any() for group in groups)
    assert len({group.name for group in groups}) == len(groups)


@settings(deadline=None)
@given(st.lists(st.integers(-40, 40), min_size=13, max_size=200).filter(lambda numbers: len(set(numbers)) > 12))
def test_numbers_are_cut_into_thirds_between_unequal_values(numbers: list[int]) -> None:
    groups = find_groups(index_of(yaw=[str(number) for number in numbers]))
    assert 2 <= len(groups) <= 3
    values = np.array(numbers)
    commonest = max(numbers.count(number) for number in numbers)
    for group, following in zip(groups, [*groups[1:], None], strict=True):
        low, high = (
            (int(bound) for bound in group.name.split(" to ")) if " to " in group.name else [int(group.name)] * 2
        )
        assert (low, high) == (values[group.members].min(), values[group.members].max())
        assert following is None or high < values[following.members].min()
        assert len(groups) == 2 or abs(group.members.sum() - len(numbers) / 3) <= 2 * commonest


def test_few_numbers_are_groups_in_their_order_and_other_columns_are_none() -> None:
    index = index_of(age=["10", "9", "10", ""]).assign(group=["a", "b", "c", "d"], expression=[0, 1, 2, 3])
    assert [(group.attribute, group.name, group.members.tolist()) for group in find_groups(index)] == [
        ("age", "9", [False, True, False, False]),
        ("age", "10", [True, False, True, False]),
    ]


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 1000), st.integers(20, 80))
def test_a_group_of_all_images_has_the_metrics_and_intervals_of_all(seed: int, images: int) -> None:
    table = draw_predictions(images, seed)
    results = evaluate({"net": table}, 200, 1, 10, [Group("kind", "all", np.ones(images, bool))])["net"]
    (group,) = results["groups"]
    assert group["images"] == images
    assert group["differences"] == []
    for task, names in choose(results).items():
        assert group[task] == {name: pytest.approx(value, abs=2e-6) for name, value in names.items()}
        intervals = results["intervals"][task]
        for name in names:
            assert group["intervals"][task].get(name) == pytest.approx(intervals.get(name), abs=2e-6)


def test_a_group_has_the_metrics_of_its_images_alone() -> None:
    table = draw_predictions(IMAGES, 3)
    groups = find_groups(index_of(kind=np.tile(["a", "b", "b", ""], IMAGES // 4)))
    for entry, members in zip(evaluate_groups(table, groups, 100, 1), (slice(0, 1), slice(1, 3)), strict=True):
        rows = np.arange(IMAGES).reshape(-1, 4)[:, members].ravel()
        expected, _ = evaluate_predictions(table.iloc[rows])
        assert entry["images"] == len(rows)
        for task, names in choose(expected).items():
            assert entry[task] == {name: pytest.approx(value, abs=1e-6) for name, value in names.items()}


def test_a_difference_is_that_from_all_known_others_with_an_interval_around_it() -> None:
    table = draw_predictions(IMAGES, 3)
    kinds = np.tile(["a", "b", "c", ""], IMAGES // 4)
    first = evaluate_groups(table, find_groups(index_of(kind=kinds)), 500, 1)[0]
    group, others = (
        evaluate_predictions(table[chosen])[0] for chosen in (kinds == "a", (kinds == "b") | (kinds == "c"))
    )
    assert [(entry["task"], entry["metric"]) for entry in first["differences"]] == [
        *(("emotion", "accuracy"), ("emotion", "f1"), ("valence", "ccc"), ("arousal", "ccc"))
    ]
    for entry in first["differences"]:
        expected = group[entry["task"]][entry["metric"]] - others[entry["task"]][entry["metric"]]
        assert entry["difference"] == pytest.approx(expected, abs=1e-6)
        assert entry["interval"][0] < entry["difference"] < entry["interval"][1]


def spoil(table: pd.DataFrame, members: np.ndarray) -> pd.DataFrame:
    """Let a network be wrong in all of some images."""
    wrong = (table["expression"] + 1) % 8
    return table.assign(predicted_expression=table["predicted_expression"].where(~members, wrong))


def test_a_group_that_is_served_worse_is_found_and_the_others_are_the_better_ones() -> None:
    draws = np.random.default_rng(1)
    index = index_of(kind=draws.choice(["a", "b", "c"], IMAGES), chance=draws.choice(["x", "y"], IMAGES))
    groups = find_groups(index)
    worse = groups[1].members & (draws.random(IMAGES) < 0.4)
    results = evaluate_groups(spoil(draw_predictions(IMAGES, 2), worse), groups, 500, 1)
    differ = {
        (entry["group"], one["metric"]): one["difference"]
        for entry in results
        for one in entry["differences"]
        if one["differs"]
    }
    assert differ["b", "accuracy"] < -0.15
    assert {group for group, _ in differ} <= {"a", "b", "c"}
    assert all(metric in ("accuracy", "f1") for _, metric in differ)
    assert all(difference > 0 for (group, _), difference in differ.items() if group != "b")


def test_groups_that_do_not_matter_are_seldom_called_different() -> None:
    """Not even once in most evaluations, though each compares dozens, some of groups whose few images are all right."""
    called = unadjusted = compared = 0
    for run in range(25):
        draws = np.random.default_rng(run)
        index = index_of(
            tone=draws.choice(["a", "b", "c"], IMAGES),
            hat=draws.choice(["none", "cap", "scarf"], IMAGES, p=(0.87, 0.07, 0.06)),
            yaw=draws.normal(0, 10, IMAGES).round(1).astype(str),
        )
        table = draw_predictions(IMAGES, run, skill=4)
        differences = [one for e in evaluate_groups(table, find_groups(index), 200, run) for one in e["differences"]]
        called += any(one["differs"] for one in differences)
        unadjusted += sum(not one["interval"][0] <= 0 <= one["interval"][1] for one in differences if "interval" in one)
        compared += len(differences)
    assert compared > 25 * 25
    assert unadjusted > 10
    assert called <= 3


def test_few_images_have_no_interval_and_are_not_compared() -> None:
    kinds = np.array(["many"] * (IMAGES - MIN_IMAGES + 1) + ["few"] * (MIN_IMAGES - 1))
    few, many = evaluate_groups(draw_predictions(IMAGES, 5), find_groups(index_of(kind=kinds)), 100, 1)
    assert (few["group"], few["images"], few["intervals"], few["differences"]) == ("few", MIN_IMAGES - 1, {}, [])
    assert "accuracy" in few["emotion"]
    assert many["differences"] == []
    assert set(many["intervals"]) == {"emotion", "valence", "arousal"}


def test_a_label_that_few_images_of_a_group_have_is_not_compared() -> None:
    table = draw_predictions(IMAGES, 5)
    table.loc[: IMAGES // 2, "valence"] = np.nan
    kinds = np.array(["without"] * (IMAGES // 2 + 1) + ["with"] * (IMAGES // 2 - 1))
    for entry in evaluate_groups(table, find_groups(index_of(kind=kinds)), 100, 1):
        assert [one["task"] for one in entry["differences"]] == ["emotion", "emotion", "arousal"]
        assert ("valence" in entry) == (entry["group"] == "with")


def test_a_group_without_errors_is_judged_without_an_interval() -> None:
    """Its resamples have no errors either, so the bootstrap would be sure of whatever they say."""
    table = draw_predictions(IMAGES, 6)
    kinds = np.array(["right"] * 12 + ["rest"] * (IMAGES - 12))
    table.loc[:11, "predicted_expression"] = table["expression"]
    right = evaluate_groups(table, find_groups(index_of(kind=kinds)), 500, 1)[1]
    accuracy = right["differences"][0]
    assert right["group"] == "right"
    assert right["emotion"]["accuracy"] == 1
    assert "interval" not in accuracy
    assert "emotion" not in right["intervals"]


def test_the_results_of_groups_make_no_columns_and_come_after_the_metrics(tmp_path: Path) -> None:
    table = draw_predictions(60, 1)
    results = evaluate({"net": table}, 100, 1, 10, find_groups(index_of(kind=["a", "b"] * 30)))["net"]
    assert list(results)[:3] == ["emotion", "valence", "arousal"]
    assert isinstance(results["groups"], list)
    assert results["groups"] == evaluate_groups(table, find_groups(index_of(kind=["a", "b"] * 30)), 100, 1)
    assert evaluate({"net": table}, 100, 1, 10)["net"]["groups"] == []
