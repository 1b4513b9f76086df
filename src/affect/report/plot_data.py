"""What the plots show, as tables: metrics/plots/*.csv."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_curve, roc_curve

from affect.core.labels import EXPRESSIONS, VALENCE_AROUSAL
from affect.core.predictions import DECIMALS

# Plots are drawn by a browser from text: beyond this, more points cost more than they show.
MAX_CURVE_POINTS = 200
MAX_SCATTER_POINTS = 2000
MACRO = "macro"
# What the training curves show, by the name under which it is logged.
MEASURES = {
    "loss": "Loss",
    "emotion_accuracy": "Accuracy of the expression",
    "valence_ccc": "CCC of valence",
    "arousal_ccc": "CCC of arousal",
}


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
    """Return ROC curves, one an expression that occurs and their mean, "macro": the columns expression, point (its
    place on the curve), false_positive_rate, true_positive_rate."""
    curves = {}
    for name, truth, probability in _one_against_rest(table):
        false_positives, true_positives, _ = roc_curve(truth, probability, drop_intermediate=False)
        curves[name] = false_positives, true_positives
    if curves:
        grid = np.unique(np.concatenate([xs for xs, _ in curves.values()]))
        # At a vertical step keep both heights, so that the mean curve's area is the mean area.
        lower = np.mean([np.interp(-grid, -xs[::-1], ys[::-1]) for xs, ys in curves.values()], axis=0)
        upper = np.mean([np.interp(grid, xs, ys) for xs, ys in curves.values()], axis=0)
        curves[MACRO] = grid.repeat(2), np.stack([lower, upper], axis=1).ravel()
    return _join(curves, "false_positive_rate", "true_positive_rate")


def precision_recall(table: pd.DataFrame) -> pd.DataFrame:
    """Return precision-recall curves, one an expression that occurs and their mean, "macro": the columns expression,
    point (its place on the curve), recall, precision."""
    curves = {}
    for name, truth, probability in _one_against_rest(table):
        precision, recall, _ = precision_recall_curve(truth, probability)
        curves[name] = recall[::-1], precision[::-1]
    if curves:
        grid = np.unique(np.concatenate([recalls for recalls, _ in curves.values()]))
        heights = [precisions[np.searchsorted(recalls, grid)] for recalls, precisions in curves.values()]
        curves[MACRO] = grid, np.mean(heights, axis=0)
    return _join(curves, "recall", "precision")


def va_scatter(table: pd.DataFrame) -> pd.DataFrame:
    """Return true and predicted valence and arousal, one row an image and dimension, where both are known."""
    parts = []
    for task in VALENCE_AROUSAL:
        part = table[["id", task, f"predicted_{task}"]].set_axis(["id", "truth", "predicted"], axis=1).dropna()
        part.insert(1, "dimension", task)
        parts.append(_thin(part, MAX_SCATTER_POINTS))
    return pd.concat(parts)


def circumplex(table: pd.DataFrame) -> pd.DataFrame:
    """Return each image's point in the plane of valence and arousal, where both are known, twice: the columns id,
    expression, side ("truth" or "prediction"), valence, arousal."""
    known = table[["valence", "arousal", "predicted_valence", "predicted_arousal"]].notna().all(axis=1)
    shown = _thin(table[known], MAX_SCATTER_POINTS // 2)
    sides = []
    for side, prefix in (("truth", ""), ("prediction", "predicted_")):
        points = shown[["id", "expression", f"{prefix}valence", f"{prefix}arousal"]]
        points = points.set_axis(["id", "expression", "valence", "arousal"], axis=1)
        points.insert(2, "side", side)
        sides.append(points.assign(expression=points["expression"].map(dict(enumerate(EXPRESSIONS)))))
    return pd.concat(sides)


def _one_against_rest(table: pd.DataFrame) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    for expression, name in enumerate(EXPRESSIONS):
        truth = (table["expression"] == expression).to_numpy()
        if 0 < truth.sum() < len(truth):
            yield name, truth, table[f"p_{name}"].to_numpy()


def _join(curves: dict[str, tuple[np.ndarray, np.ndarray]], x: str, y: str) -> pd.DataFrame:
    parts = [pd.DataFrame({"expression": [], "point": [], x: [], y: []})]
    for name, (xs, ys) in curves.items():
        points = _thin(pd.DataFrame({x: xs, y: ys}), MAX_CURVE_POINTS).round(DECIMALS)
        points.insert(0, "expression", name)
        points.insert(1, "point", range(len(points)))
        parts.append(points)
    return pd.concat(parts[1:] or parts)


def _thin(points: pd.DataFrame, most: int) -> pd.DataFrame:
    kept = np.unique(np.linspace(0, len(points) - 1, min(most, len(points))).round().astype(int))
    return points.iloc[kept]
