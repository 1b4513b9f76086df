"""Where the errors are: per expression, per pair of expressions, per degree of confidence, and one by one."""

import numpy as np
import pandas as pd
from sklearn.metrics import precision_recall_fscore_support

from affect.core.labels import EXPRESSIONS, VALENCE_AROUSAL
from affect.core.predictions import DECIMALS, PROBABILITIES

MAX_CONFUSED = 5


def per_class(table: pd.DataFrame) -> list[dict]:
    """Return, for each expression that occurs: its images, precision, recall and f1, and the mean absolute error of
    valence and of arousal where they are known. Precision is left out where the expression is never predicted.

    table: predictions with the columns of affect.core.predictions.COLUMNS.
    """
    precision, recall, f1, images = precision_recall_fscore_support(
        table["expression"], table["predicted_expression"], labels=range(len(EXPRESSIONS)), zero_division=np.nan
    )
    scores = pd.DataFrame({"precision": precision, "recall": recall, "f1": f1})
    for task in VALENCE_AROUSAL:
        scores[f"{task}_mae"] = (table[task] - table[f"predicted_{task}"]).abs().groupby(table["expression"]).mean()
    return [
        {"expression": name, "images": int(count)} | row.dropna().round(DECIMALS).to_dict()
        for name, count, (_, row) in zip(EXPRESSIONS, images, scores.iterrows(), strict=True)
        if count
    ]


def most_confused(table: pd.DataFrame) -> list[dict]:
    """Return up to five pairs of a true and a predicted expression, the commonest first, with their images and what
    share that is of the images with the true expression."""
    wrong = table[table["expression"] != table["predicted_expression"]]
    counts = wrong.groupby(["expression", "predicted_expression"]).size()
    commonest = counts.sort_values(ascending=False, kind="stable").head(MAX_CONFUSED)
    occurring = table["expression"].value_counts()
    return [
        {
            "expression": EXPRESSIONS[true],
            "predicted_expression": EXPRESSIONS[predicted],
            "images": int(count),
            "share": round(float(count / occurring[true]), DECIMALS),
        }
        for (true, predicted), count in zip(commonest.index, commonest, strict=True)
    ]


def reliability(table: pd.DataFrame, bins: int) -> pd.DataFrame:
    """Return, for each occupied one of equally wide bins of confidence (the predicted expression's probability): the
    columns bin (from 1), low and high (its bounds), confidence (its mean in the bin), accuracy and images."""
    confidence = table[PROBABILITIES].max(axis=1)
    right = table["expression"] == table["predicted_expression"]
    bin = np.ceil(confidence * bins).clip(1, bins).astype(int)
    grouped = pd.DataFrame({"bin": bin, "confidence": confidence, "accuracy": right}).groupby("bin")
    curve = grouped.mean().assign(images=grouped.size()).reset_index()
    curve.insert(1, "low", (curve["bin"] - 1) / bins)
    curve.insert(2, "high", curve["bin"] / bins)
    return curve


def expected_calibration_error(table: pd.DataFrame, bins: int) -> float:
    """Return the mean distance, in [0, 1], of confidence and accuracy over bins of confidence, weighted by images.

    Source: Naeini et al., Obtaining well calibrated probabilities using Bayesian binning (2015).
    """
    curve = reliability(table, bins)
    return float(np.average((curve["confidence"] - curve["accuracy"]).abs(), weights=curve["images"]))


def worst_errors(table: pd.DataFrame, max_rows: int) -> pd.DataFrame:
    """Return the rows whose expression is predicted wrongly, those that give the true one least probability first."""
    probability = table[PROBABILITIES].to_numpy()[np.arange(len(table)), table["expression"]]
    wrong = table.assign(p_true=probability)[table["expression"] != table["predicted_expression"]]
    return wrong.sort_values(["p_true", "id"], kind="stable").head(max_rows)
