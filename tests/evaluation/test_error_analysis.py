"""Errors by expression, by pair, by confidence and one by one, on tables small enough to count by hand."""

import numpy as np
import pandas as pd
import pytest
from conftest import draw_predictions

from affect.core.labels import EXPRESSIONS
from affect.evaluation.error_analysis import (
    expected_calibration_error,
    most_confused,
    per_class,
    reliability,
    worst_errors,
)


def table_of(*rows: tuple[int, int, float]) -> pd.DataFrame:
    """Predictions of (true, predicted, probability of the predicted) expression; the rest goes to the true one."""
    table = pd.DataFrame(0.0, index=range(len(rows)), columns=[f"p_{name}" for name in EXPRESSIONS])
    for row, (true, predicted, probability) in enumerate(rows):
        table.loc[row, f"p_{EXPRESSIONS[true]}"] = 1 - probability
        table.loc[row, f"p_{EXPRESSIONS[predicted]}"] = probability
    table["id"] = [f"face{row}" for row in range(len(rows))]
    table["expression"], table["predicted_expression"], _ = zip(*rows, strict=True)
    return table


def test_per_class_scores_are_counted_by_hand() -> None:
    table = table_of((0, 0, 0.9), (0, 1, 0.6), (1, 1, 0.8), (2, 1, 0.7)).assign(
        valence=[0.5, 0.5, np.nan, 0.0],
        predicted_valence=[0.4, 0.2, 0.1, 0.3],
        arousal=np.nan,
        predicted_arousal=np.nan,
    )
    neutral, happy, sad = per_class(table)
    assert neutral == {
        **{"expression": "neutral", "images": 2, "precision": 1.0, "recall": 0.5},
        **{"f1": pytest.approx(2 / 3, abs=1e-6), "valence_mae": pytest.approx(0.2)},
    }
    assert happy == {
        **{"expression": "happy", "images": 1, "precision": pytest.approx(1 / 3, abs=1e-6), "recall": 1.0, "f1": 0.5}
    }
    assert sad == {"expression": "sad", "images": 1, "recall": 0.0, "f1": 0.0, "valence_mae": 0.3}


def test_the_commonest_confusions_come_first() -> None:
    table = table_of((0, 1, 0.6), (3, 3, 0.9), (0, 1, 0.6), (0, 0, 0.9), (0, 0, 0.9), (4, 2, 0.5))
    assert most_confused(table) == [
        {"expression": "neutral", "predicted_expression": "happy", "images": 2, "share": 0.5},
        {"expression": "fear", "predicted_expression": "sad", "images": 1, "share": 1.0},
    ]
    assert most_confused(table[1:2]) == []


def test_calibration_is_counted_by_hand() -> None:
    table = table_of((0, 0, 0.9), (0, 1, 0.95), (1, 1, 0.6), (1, 1, 0.55))
    curve = reliability(table, 5)
    assert curve.to_dict("list") == {
        "bin": [3, 5],
        "low": [0.4, 0.8],
        "high": [0.6, 1.0],
        "confidence": [pytest.approx(0.575), pytest.approx(0.925)],
        "accuracy": [1.0, 0.5],
        "images": [2, 2],
    }
    assert expected_calibration_error(table, 5) == pytest.approx((0.425 + 0.425) / 2)


def test_probabilities_that_come_true_as_often_as_they_say_are_calibrated() -> None:
    table = draw_predictions(40_000, seed=1, skill=0)
    probabilities = table[[f"p_{name}" for name in EXPRESSIONS]].to_numpy()
    drawn = (probabilities.cumsum(axis=1) > np.random.default_rng(1).random((len(table), 1))).argmax(axis=1)
    assert expected_calibration_error(table, 10) > 0.2
    assert expected_calibration_error(table.assign(expression=drawn), 10) < 0.01


def test_the_worst_errors_are_those_with_least_probability_of_the_truth() -> None:
    table = table_of((0, 1, 0.6), (0, 0, 0.9), (2, 1, 0.99), (3, 1, 0.7))
    assert list(worst_errors(table, 2)["id"]) == ["face2", "face3"]
    assert list(worst_errors(table, 20)["id"]) == ["face2", "face3", "face0"]
