"""A dataset that lacks expressions is judged over those it has, with the prediction free and limited to them."""

import numpy as np
import pandas as pd
import pytest
from conftest import draw_predictions
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score

from affect.core.labels import EXPRESSIONS
from affect.core.predictions import PROBABILITIES
from affect.evaluation.results import evaluate_ways, limit_to


def of_some(classes: list[int], seed: int = 1) -> pd.DataFrame:
    table = draw_predictions(200, seed, skill=1)
    return table[table["expression"].isin(classes)].reset_index(drop=True)


@settings(max_examples=50, deadline=None)
@given(allowed=st.sets(st.integers(0, 7), min_size=1), seed=st.integers(0, 1000))
def test_a_limited_prediction_is_one_of_the_allowed_in_the_same_proportions(allowed: set[int], seed: int) -> None:
    table = draw_predictions(40, seed)
    limited = limit_to(table, np.array(sorted(allowed)))
    before, after = table[PROBABILITIES].to_numpy(), limited[PROBABILITIES].to_numpy()
    kept = sorted(allowed)
    np.testing.assert_allclose(after.sum(axis=1), 1, atol=1e-5)
    assert (after[:, [number for number in range(8) if number not in allowed]] == 0).all()
    assert set(limited["predicted_expression"]) <= allowed
    np.testing.assert_allclose(after[:, kept], before[:, kept] / before[:, kept].sum(axis=1, keepdims=True), atol=1e-6)
    np.testing.assert_array_equal(limited["predicted_expression"], np.array(kept)[before[:, kept].argmax(axis=1)])
    pd.testing.assert_frame_equal(
        limited.drop(columns=[*PROBABILITIES, "predicted_expression"]),
        table.drop(columns=[*PROBABILITIES, "predicted_expression"]),
    )


def test_no_probability_of_the_allowed_is_shared_by_them() -> None:
    table = draw_predictions(2, 1)
    table[PROBABILITIES] = np.eye(8)[[7, 7]]
    limited = limit_to(table, np.array([2, 5]))
    assert limited[["p_sad", "p_disgust"]].to_numpy().tolist() == [[0.5, 0.5]] * 2
    assert limited["predicted_expression"].tolist() == [2, 2]


def test_both_ways_are_over_the_expressions_that_there_are() -> None:
    classes = [0, 1, 4]
    tables = {"resnet50": of_some(classes)}
    results = evaluate_ways(tables, resamples=200, seed=1, calibration_bins=10)
    assert results["classes"] == [EXPRESSIONS[number] for number in classes]
    truth = tables["resnet50"]["expression"]
    for way, table in (("free", tables["resnet50"]), ("limited", limit_to(tables["resnet50"], np.array(classes)))):
        predicted = table["predicted_expression"]
        found = results[way]["resnet50"]
        assert found["emotion"]["accuracy"] == pytest.approx((truth == predicted).mean())
        expected = f1_score(truth, predicted, labels=classes, average="macro", zero_division=0)
        assert found["emotion"]["f1"] == pytest.approx(expected)
        low, high = found["intervals"]["emotion"]["accuracy"]
        assert low < found["emotion"]["accuracy"] < high
    free, limited = (results[way]["resnet50"]["emotion"]["accuracy"] for way in ("free", "limited"))
    assert limited > free
    assert results["limited"]["resnet50"]["valence"] == results["free"]["resnet50"]["valence"]


def test_a_dataset_with_all_expressions_is_judged_once() -> None:
    results = evaluate_ways({"resnet50": of_some(list(range(8)))}, resamples=200, seed=1, calibration_bins=10)
    assert results["classes"] == list(EXPRESSIONS)
    assert "limited" not in results
