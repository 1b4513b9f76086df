"""From a table of predictions to metrics and to what the plots show."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_curve, roc_curve

from affect.expressions import EXPRESSIONS
from affect.metrics import AFFECT_METRICS, EXPRESSION_METRICS, PROBABILITY_METRICS, UndefinedMetricError
from affect.predictions import DECIMALS, PROBABILITIES

# Plots are drawn by a browser from text: beyond this, more points cost more than they show.
MOST_CURVE_POINTS = 200
MOST_SCATTER_POINTS = 2000


def evaluate_predictions(table: pd.DataFrame) -> tuple[dict[str, dict[str, float]], list[str]]:
    """Return the metrics of a predictions table by task, and notes on what the data could not define.

    The table has the columns of affect.predictions.COLUMNS; valence and arousal are evaluated where annotated.
    """
    truth, predicted = table["expression"].to_numpy(), table["predicted_expression"].to_numpy()
    probabilities = table[PROBABILITIES].to_numpy()
    notes = [f"emotion: no image is {EXPRESSIONS[absent]}" for absent in set(range(8)) - set(truth)]
    results = {
        "emotion": _compute("emotion", EXPRESSION_METRICS, truth, predicted, notes)
        | _compute("emotion", PROBABILITY_METRICS, truth, probabilities, notes)
    }
    for task in ("valence", "arousal"):
        annotated = table[[task, f"predicted_{task}"]].dropna().to_numpy()
        if len(annotated):
            results[task] = _compute(task, AFFECT_METRICS, annotated[:, 0], annotated[:, 1], notes)
        else:
            notes.append(f"{task}: not annotated, or not learnt")
    return results, notes


def confusion(table: pd.DataFrame) -> pd.DataFrame:
    """Count each pair of true and predicted expression; `share` is of the images with that true expression."""
    counts = pd.crosstab(table["expression"], table["predicted_expression"])
    counts = counts.reindex(index=range(8), columns=range(8), fill_value=0)
    shares = counts.div(counts.sum(axis=1).clip(lower=1), axis=0)
    return pd.DataFrame(
        {
            "expression": np.repeat(EXPRESSIONS, 8),
            "predicted_expression": np.tile(EXPRESSIONS, 8),
            "images": counts.to_numpy().ravel(),
            "share": shares.to_numpy().ravel().round(4),
        }
    )


def roc(table: pd.DataFrame) -> pd.DataFrame:
    """Return ROC curves, one an expression that occurs: the columns expression, point (its
    place on the curve), false_positive_rate, true_positive_rate."""
    curves = []
    for name, truth, probability in _one_against_rest(table):
        false_positives, true_positives, _ = roc_curve(truth, probability)
        curves.append(_curve(name, false_positive_rate=false_positives, true_positive_rate=true_positives))
    return pd.concat(curves)


def precision_recall(table: pd.DataFrame) -> pd.DataFrame:
    """Return precision-recall curves, one an expression that occurs: the columns expression,
    point (its place on the curve), recall, precision."""
    curves = []
    for name, truth, probability in _one_against_rest(table):
        precision, recall, _ = precision_recall_curve(truth, probability)
        curves.append(_curve(name, recall=recall, precision=precision))
    return pd.concat(curves)


def affect_scatter(table: pd.DataFrame) -> pd.DataFrame:
    """Return true and predicted valence and arousal, one row an image and dimension, where both are known."""
    parts = []
    for task in ("valence", "arousal"):
        part = table[["id", task, f"predicted_{task}"]].set_axis(["id", "truth", "predicted"], axis=1).dropna()
        part.insert(1, "dimension", task)
        parts.append(_thin(part, MOST_SCATTER_POINTS))
    return pd.concat(parts)


def _compute(
    task: str,
    metrics: Mapping[str, Callable[[np.ndarray, np.ndarray], float]],
    truth: np.ndarray,
    prediction: np.ndarray,
    notes: list[str],
) -> dict[str, float]:
    results = {}
    for name, metric in metrics.items():
        try:
            results[name] = metric(truth, prediction)
        except UndefinedMetricError as undefined:
            notes.append(f"{task}.{name}: {undefined}")
    return results


def _one_against_rest(table: pd.DataFrame) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    for expression, name in enumerate(EXPRESSIONS):
        truth = (table["expression"] == expression).to_numpy()
        if 0 < truth.sum() < len(truth):
            yield name, truth, table[f"p_{name}"].to_numpy()


def _curve(expression: str, **coordinates: np.ndarray) -> pd.DataFrame:
    points = _thin(pd.DataFrame(coordinates), MOST_CURVE_POINTS).round(DECIMALS)
    points.insert(0, "expression", expression)
    points.insert(1, "point", range(len(points)))
    return points


def _thin(points: pd.DataFrame, most: int) -> pd.DataFrame:
    kept = np.unique(np.linspace(0, len(points) - 1, min(most, len(points))).round().astype(int))
    return points.iloc[kept]
