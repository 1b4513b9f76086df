"""A study's tables: curves, a row a face, and the plane of the features."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from affect.core.labels import EXPRESSIONS, VALENCE_AROUSAL
from affect.core.predictions import DECIMALS
from affect.explanation.explainer import Explanation
from affect.explanation.faithfulness.baselines import RANDOM
from affect.explanation.faithfulness.judging import Curves
from affect.explanation.regions.division import REGIONS
from affect.explanation.study.columns import Columns


def tabulate_curves(curves: Curves) -> pd.DataFrame:
    """Return the mean curves: the columns method, task, kind, share (of the pixels) and score."""
    parts = [
        pd.DataFrame({"share": np.linspace(0, 1, values.shape[1]), "score": values.mean(axis=0)}).assign(
            method=method, task=task, kind=kind
        )
        for (method, task, kind), values in curves.items()
    ]
    return pd.concat(parts)[["method", "task", "kind", "share", "score"]].round(DECIMALS)


def tabulate_faces(
    index: pd.DataFrame, explanation: Explanation, columns: Columns, shown: Mapping[str, str | None]
) -> pd.DataFrame:
    """Return a row an image: what was explained, what deleting the marked fifth and a random fifth takes away of it, by
    task, and the share of the expression's map on each region."""
    table = pd.DataFrame({"id": index["id"], "expression": index["expression"], "explained": explanation.expressions})
    for task, method in shown.items():
        if method:
            table[f"{task}_marked"] = columns["faithfulness", method, task, "marked"]
            table[f"{task}_random"] = columns["faithfulness", RANDOM, task, "marked"]
    for name in REGIONS:
        if (path := ("regions", "emotion", "all", name)) in columns:
            table[name] = columns[path]
    return table.round(DECIMALS)


def tabulate_features(predictions: pd.DataFrame, places: np.ndarray) -> pd.DataFrame:
    """Return a row an image: its labels, the predicted expression, and its place in the plane of its features."""
    table = predictions[["id", "expression", "predicted_expression", *VALENCE_AROUSAL]]
    return table.assign(first=places[:, 0], second=places[:, 1]).round(DECIMALS)


def count_alike(expressions: np.ndarray, neighbours: np.ndarray) -> dict[str, float]:
    """Return, by expression, the share of its faces' nearest neighbours that are of it."""
    same = (expressions[neighbours] == expressions[:, None]).mean(axis=1)
    found = {name: same[expressions == number] for number, name in enumerate(EXPRESSIONS)}
    return {name: round(float(shares.mean()), DECIMALS) for name, shares in found.items() if len(shares)}
