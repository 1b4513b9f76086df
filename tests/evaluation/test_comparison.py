"""A network is called better only where it is, whichever way its metric points."""

import numpy as np
import pandas as pd
import pytest
from conftest import draw_predictions
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from affect.evaluation import comparison
from affect.evaluation.bootstrap import BootstrapEstimate
from affect.evaluation.comparison import TIE, mcnemar
from affect.evaluation.results import evaluate

IMAGES = 400


def compare(first: pd.DataFrame, second: pd.DataFrame) -> list[dict]:
    return evaluate({"first": first, "second": second}, resamples=500, seed=1, calibration_bins=10)["comparison"]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return draw_predictions(IMAGES, seed=4)


@pytest.fixture(scope="module")
def shuffled(table: pd.DataFrame) -> pd.DataFrame:
    """The same predictions, each for another image."""
    order = np.random.default_rng(2).permutation(IMAGES)
    predicted = table.columns[table.columns.str.startswith(("p_", "predicted_"))]
    copy = table.copy()
    copy[predicted] = table[predicted].iloc[order].set_axis(table.index)
    return copy


def test_the_same_network_twice_ties_in_every_metric(table: pd.DataFrame) -> None:
    comparison = compare(table, table.copy())
    assert len(comparison) == 18
    assert {(entry["difference"], entry["verdict"]) for entry in comparison} == {(0, TIE)}


def test_a_network_beats_its_shuffled_self_in_every_metric(table: pd.DataFrame, shuffled: pd.DataFrame) -> None:
    assert {entry["verdict"] for entry in compare(table, shuffled)} == {"first"}
    comparison = compare(shuffled, table)
    assert {entry["verdict"] for entry in comparison} == {"second"}
    for entry in comparison:
        assert entry["interval"][0] < entry["difference"] < entry["interval"][1]


def test_a_difference_of_less_than_the_written_digits_is_a_tie() -> None:
    zero = BootstrapEstimate(0, np.zeros(100), np.zeros(10))
    tiny = BootstrapEstimate(-2e-9, -np.linspace(1e-9, 3e-9, 100), -np.linspace(1e-9, 3e-9, 10))
    (entry,) = comparison.compare(["a", "b"], {("a", "emotion", "f1"): tiny, ("b", "emotion", "f1"): zero})
    assert entry["verdict"] == TIE
    assert str(entry["difference"]) == "0.0"
    assert str(entry["interval"]) == "[0.0, 0.0]"


def test_three_networks_make_three_pairs(table: pd.DataFrame, shuffled: pd.DataFrame) -> None:
    results = evaluate({"a": table, "b": shuffled, "c": table}, resamples=100, seed=1, calibration_bins=10)
    pairs = {(entry["first"], entry["second"]) for entry in results["comparison"]}
    assert pairs == {("a", "b"), ("a", "c"), ("b", "c")} == {(e["first"], e["second"]) for e in results["mcnemar"]}


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_mcnemar_is_the_binomial_test_of_the_images_they_disagree_on(right: list[tuple[bool, bool]]) -> None:
    tables = {
        name: pd.DataFrame({"expression": 0, "predicted_expression": [int(not pair[side]) for pair in right]})
        for side, name in enumerate(("first", "second"))
    }
    first, second = right.count((True, False)), right.count((False, True))
    smaller = min(first, second)
    expected = min(1.0, 2 * stats.binom.cdf(smaller, first + second, 0.5)) if first != second else 1.0
    (test,) = mcnemar(tables)
    assert (test["only_first_right"], test["only_second_right"]) == (first, second)
    assert test["p"] == pytest.approx(expected, abs=1e-6)
