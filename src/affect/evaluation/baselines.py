"""What a network must beat: a guess, and one answer for all images."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from affect.core.labels import EXPRESSIONS, VALENCE_AROUSAL
from affect.core.predictions import DECIMALS, PROBABILITIES
from affect.evaluation.results import evaluate_predictions

ALL = range(len(EXPRESSIONS))


def baselines(training: pd.DataFrame, held_out: pd.DataFrame, expressions: Sequence[int] = ALL) -> list[dict]:
    """Return what two baselines reach on the held-out images: each one's name, and its metrics by task.

    "chance" guesses every expression with the same probability, and does not guess valence and arousal. "constant"
    answers, for each image, the commonest expression of the training images (the first of equally common ones) and the
    means of their annotated valence and arousal; `answer` holds these. Metrics that are undefined are left out.

    training, held_out: tables with the columns expression (0-7), valence and arousal (NaN where not annotated).
    expressions: those that may be answered, 0-7.
    """
    truth = held_out[["expression", *VALENCE_AROUSAL]]
    answer = _commonest(training, expressions)
    return [
        {"name": "chance"} | _evaluate(_guess(truth, expressions)),
        {"name": "constant", "answer": answer} | _evaluate(_repeat(answer, truth)),
    ]


def _commonest(training: pd.DataFrame, expressions: Sequence[int]) -> dict[str, str | float]:
    counts = np.bincount(training["expression"], minlength=len(EXPRESSIONS))
    commonest = max(expressions, key=lambda expression: counts[expression])
    means = {
        task: round(float(training[task].mean()), DECIMALS) for task in VALENCE_AROUSAL if training[task].notna().any()
    }
    return {"expression": EXPRESSIONS[commonest], **means}


def _guess(truth: pd.DataFrame, expressions: Sequence[int]) -> pd.DataFrame:
    """Return predictions with each image once for each expression: the counts that guessing leads to, without noise."""
    table = truth.iloc[np.arange(len(truth)).repeat(len(expressions))]
    table = table.assign(predicted_expression=np.tile(expressions, len(truth)))
    shares = np.isin(ALL, expressions) / len(expressions)
    return table.assign(**dict(zip(PROBABILITIES, shares, strict=True)))


def _repeat(answer: dict[str, str | float], truth: pd.DataFrame) -> pd.DataFrame:
    """Return predictions that are the same answer for each image."""
    expression = EXPRESSIONS.index(str(answer["expression"]))
    table = truth.assign(predicted_expression=expression)
    table = table.assign(**dict(zip(PROBABILITIES, np.eye(len(ALL))[expression], strict=True)))
    return table.assign(**{f"predicted_{task}": answer[task] for task in VALENCE_AROUSAL if task in answer})


def _evaluate(predictions: pd.DataFrame) -> dict[str, dict[str, float]]:
    unpredicted = {f"predicted_{task}" for task in VALENCE_AROUSAL} - set(predictions.columns)
    metrics, _ = evaluate_predictions(predictions.assign(**dict.fromkeys(unpredicted, np.nan)))
    # Adding 0 makes a 0 of a negative one.
    return {
        task: {name: round(value, DECIMALS) + 0 for name, value in found.items()} for task, found in metrics.items()
    }
