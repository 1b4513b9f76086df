"""What every engine gives: predictions of images as a table."""

from collections.abc import Callable, Iterable
from typing import Protocol

import numpy as np
import pandas as pd
from keras import tree

from affect.core.labels import VALENCE_AROUSAL
from affect.core.predictions import DECIMALS, PREDICTED, PROBABILITIES
from affect.models.card import ModelCard

# By task: (count, 8) probabilities of the expressions, (count, 1) valence or arousal.
Outputs = dict[str, np.ndarray]


class Predictor(Protocol):
    """A trained network.

    name: its file's name without the ending. image_size: pixels a side of the images that it takes. card: what it was
    trained on; None where its file is older than cards.
    """

    name: str
    image_size: int
    card: ModelCard | None

    def predict(self, batches: Iterable[np.ndarray]) -> pd.DataFrame:
        """Predict batches of (count, image_size, image_size, 3) images, RGB 0-255.

        Returns a row an image with the columns of PREDICTED: expression 0-7, probabilities in [0, 1], valence and
        arousal in [-1, 1], NaN where the network did not learn them. Everything is rounded to six decimals.
        """

    def size(self) -> dict[str, int | float]:
        """Return its parameters, those that were trained, and the megabytes (10^6) of its file."""


def predict_all(run: Callable[[np.ndarray], Outputs], batches: Iterable[np.ndarray], mirror: bool) -> pd.DataFrame:
    """Return the table of `Predictor.predict` from what runs one batch.

    mirror: whether a prediction is the mean of those for the image and for its mirror image.
    """

    def run_both(batch: np.ndarray) -> Outputs:
        if not mirror:
            return run(batch)
        outputs, mirrored = run(batch), run(batch[:, :, ::-1])
        return {task: (values + mirrored[task]) / 2 for task, values in outputs.items()}

    outputs = [run_both(batch) for batch in batches]
    return _tabulate(tree.map_structure(lambda *parts: np.concatenate(parts), *outputs))


def _tabulate(outputs: Outputs) -> pd.DataFrame:
    table = pd.DataFrame(outputs["emotion"].astype(np.float64).round(DECIMALS), columns=PROBABILITIES)
    for task in VALENCE_AROUSAL:
        values = outputs[task][:, 0].astype(np.float64).round(DECIMALS) if task in outputs else np.nan
        table[f"predicted_{task}"] = values
    table["predicted_expression"] = table[PROBABILITIES].to_numpy().argmax(axis=1)
    return table[PREDICTED]
