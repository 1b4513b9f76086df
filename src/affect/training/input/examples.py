"""Examples: inputs with the labels, the weights in the loss and the shares in an epoch that a training gives them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from affect.core.array_file import ArrayFile
from affect.core.labels import EXPRESSIONS, VALENCE_AROUSAL, VOTES

Array = np.ndarray | ArrayFile


@dataclass(frozen=True)
class Examples:
    """Inputs of the model to train, row for row with the targets and their weights in the loss, by task.

    inputs: (count, ...) images or features. Weights are 0 for a valence or arousal that is not annotated.
    """

    inputs: Array
    targets: Mapping[str, np.ndarray]
    weights: Mapping[str, np.ndarray]


def annotated_tasks(index: pd.DataFrame) -> tuple[str, ...]:
    """Return the tasks that the labels of an index of records allow to learn."""
    return ("emotion", *(task for task in VALENCE_AROUSAL if index[task].notna().any()))


def has_votes(index: pd.DataFrame) -> bool:
    """Whether an index of records has the shares of votes for each expression, which are then learnt."""
    return set(VOTES) <= set(index.columns)


def make_examples(
    inputs: Array,
    index: pd.DataFrame,
    tasks: Sequence[str],
    class_weights: np.ndarray | None = None,
    shares: bool = False,
) -> Examples:
    """Pair inputs with the labels of their index.

    The target of emotion is the expression's number, or with `shares` (8,) shares: the votes, where there are any.
    class_weights: (8,), the weight of each expression, 1 on average over the images. An image with votes weighs as its
    commonest one does. Annotated valence and arousal weigh 1 / (annotated share), so that weights average 1 over all
    images.
    """
    expressions = index["expression"].to_numpy()
    weights_of_classes = np.ones(len(EXPRESSIONS)) if class_weights is None else class_weights
    targets = {"emotion": share_out(index) if shares else expressions}
    weights = {"emotion": weights_of_classes[expressions].astype(np.float32)}
    for task in tasks[1:]:
        values = index[task].to_numpy(np.float32)[:, None]
        targets[task] = np.nan_to_num(values)
        annotated = np.isfinite(values[:, 0]).astype(np.float32)
        # Each annotated image then counts the same in any batch, and the mean over all is that over the annotated.
        weights[task] = annotated / max(annotated.mean(), np.finfo(np.float32).tiny)
    return Examples(inputs, targets, weights)


def share_out(index: pd.DataFrame) -> np.ndarray:
    """Return (count, 8) the share of each expression: of the votes, or all of it the expression's."""
    if has_votes(index):
        return index[VOTES].to_numpy(np.float32)
    return np.eye(len(EXPRESSIONS), dtype=np.float32)[index["expression"]]


def balanced_class_weights(expressions: pd.Series) -> np.ndarray:
    """Return (8,) weights that make each expression present count the same and average to 1 over the images."""
    counts = np.bincount(expressions, minlength=len(EXPRESSIONS))
    present = counts > 0
    return np.divide(len(expressions) / present.sum(), counts, out=np.zeros(len(counts)), where=present)
