"""What the plots show agrees with the metrics beside them."""

import numpy as np
import pandas as pd
import pytest
from conftest import draw_predictions

from affect.core.labels import EXPRESSIONS
from affect.evaluation import metrics
from affect.report import plot_data

PROBABILITIES = [f"p_{name}" for name in EXPRESSIONS]


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return draw_predictions(24, seed=9)


def test_the_areas_under_the_mean_curves_are_the_macro_metrics(table: pd.DataFrame) -> None:
    truth, probabilities = table["expression"].to_numpy(), table[PROBABILITIES].to_numpy()
    roc = plot_data.roc(table).query("expression == 'macro'")
    area = np.trapezoid(roc["true_positive_rate"], roc["false_positive_rate"])
    assert area == pytest.approx(metrics.auc_roc(truth, probabilities), abs=1e-4)
    curve = plot_data.precision_recall(table).query("expression == 'macro'")
    area = np.sum(np.diff(curve["recall"]) * curve["precision"].iloc[1:])
    assert area == pytest.approx(metrics.auc_pr(truth, probabilities), abs=1e-4)


def test_there_is_a_curve_for_each_expression_that_occurs() -> None:
    table = draw_predictions(60, seed=9, coarse=True)
    for plotted in (plot_data.roc, plot_data.precision_recall):
        assert list(plotted(table)["expression"].unique()) == ["neutral", "happy", "macro"]
        assert plotted(table.assign(expression=0)).empty


def test_the_circumplex_shows_each_annotated_image_twice(table: pd.DataFrame) -> None:
    shown = plot_data.circumplex(table)
    known = table.dropna()
    assert list(shown["id"]) == list(known["id"]) * 2
    truth, prediction = (shown[shown["side"] == side] for side in ("truth", "prediction"))
    assert (truth[["valence", "arousal"]].to_numpy() == known[["valence", "arousal"]].to_numpy()).all()
    assert (prediction["arousal"].to_numpy() == known["predicted_arousal"].to_numpy()).all()
    assert list(truth["expression"]) == [EXPRESSIONS[expression] for expression in known["expression"]]


def test_confusion_shares_add_up_to_one_for_each_expression(table: pd.DataFrame) -> None:
    confusion = plot_data.confusion(table)
    assert confusion["images"].sum() == len(table)
    occurring = table["expression"].map(dict(enumerate(EXPRESSIONS))).unique()
    shares = confusion.groupby("expression")["share"].sum()
    assert shares[occurring].to_numpy() == pytest.approx(np.ones(len(occurring)), abs=1e-3)
