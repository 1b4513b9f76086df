"""Baselines know the training images alone, and reach what can be computed by hand."""

import numpy as np
import pandas as pd
import pytest

from affect.core.labels import EXPRESSIONS
from affect.evaluation import metrics
from affect.evaluation.baselines import baselines

TRAINING = pd.DataFrame(
    {"expression": [1, 1, 2], "valence": [0.5, 0.1, np.nan], "arousal": [np.nan, np.nan, np.nan]},
)
HELD_OUT = pd.DataFrame(
    {
        "expression": [0, 0, 0, 1],
        "valence": [0.3, -0.7, np.nan, 0.3],
        "arousal": [0.1, 0.2, 0.3, 0.4],
    }
)


def test_chance_is_the_mean_of_many_guesses() -> None:
    truth = np.repeat(np.arange(8), [300, 200, 100, 50, 50, 100, 150, 50])
    draws = np.random.default_rng(1)
    held_out = pd.DataFrame({"expression": truth, "valence": 0.5, "arousal": 0.5})
    chance, _ = baselines(held_out, held_out)
    assert chance.keys() == {"name", "emotion"}
    for name, metric in metrics.EXPRESSION_METRICS.items():
        guessed = np.mean([metric(truth, draws.integers(0, 8, len(truth))) for _ in range(40)])
        assert chance["emotion"][name] == pytest.approx(guessed, abs=0.01), name
    assert chance["emotion"]["auc_roc"] == 0.5
    assert chance["emotion"]["auc_pr"] == 1 / 8


def test_the_constant_answer_is_that_of_the_training_images() -> None:
    _, constant = baselines(TRAINING, HELD_OUT)
    assert constant["answer"] == {"expression": "happy", "valence": 0.3}
    assert constant["emotion"] == {
        **{"accuracy": 0.25, "f1": pytest.approx((0 + 2 * 1 / (1 + 4)) / 2), "cohen_kappa": 0},
        **{"krippendorff_alpha": pytest.approx(1 - 0.75 / (1 - (3 * 2 + 5 * 4) / (8 * 7)), abs=1e-6)},
        **{"auc_roc": 0.5, "auc_pr": (0.75 + 0.25) / 2},
    }


def test_a_mean_is_evaluated_where_annotated_and_has_no_correlation() -> None:
    _, constant = baselines(TRAINING, HELD_OUT)
    assert constant["valence"] == {
        **{"rmse": pytest.approx(np.sqrt(1 / 3), abs=1e-6), "sagr": pytest.approx(2 / 3, abs=1e-6), "ccc": 0},
        **{"mae": pytest.approx(1 / 3, abs=1e-6), "r2": pytest.approx(1 - 1 / (2 / 3), abs=1e-6)},
    }
    assert "arousal" not in constant


def test_the_first_of_equally_common_expressions_is_answered() -> None:
    _, constant = baselines(HELD_OUT.assign(expression=[6, 3, 3, 6]), HELD_OUT)
    assert constant["answer"]["expression"] == EXPRESSIONS[3]


def test_baselines_of_some_expressions_answer_one_of_them() -> None:
    chance, constant = baselines(HELD_OUT.assign(expression=[2, 2, 0, 0]), HELD_OUT, [0, 1, 6])
    assert chance["emotion"]["accuracy"] == pytest.approx(1 / 3, abs=1e-6)
    assert constant["answer"]["expression"] == EXPRESSIONS[0]
