"""What every engine gives: predictions of images as a table."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd

from affect.core.labels import EXPRESSIONS, TASKS, VALENCE_AROUSAL
from affect.core.predictions import DECIMALS, PREDICTED, PROBABILITIES
from affect.models.backend import keras
from affect.models.card import ExportCard, ModelCard
from affect.plumbing.errors import InputError

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

    @property
    def exported(self) -> ExportCard | None:
        """What an exported file says of itself; None for a .keras."""

    def run(self, batch: np.ndarray) -> Outputs:
        """Return the outputs of one batch of images."""

    def predict(self, batches: Iterable[np.ndarray]) -> pd.DataFrame:
        """Predict batches of (count, image_size, image_size, 3) images, RGB 0-255.

        Returns a row an image with the columns of PREDICTED: expression 0-7, probabilities in [0, 1], valence and
        arousal in [-1, 1], NaN where the network did not learn them. Everything is rounded to six decimals.
        """

    def size(self) -> dict[str, int | float]:
        """Return its parameters, those that were trained, and the megabytes (10^6) of its file."""


def require_images_to_tasks(inputs: Mapping[str, Sequence], outputs: Mapping[str, Sequence], file: Path) -> int:
    """Return the size of the images that an exported file takes.

    inputs, outputs: their shapes by name. Raises InputError for others than an exported model's.
    """
    shape = inputs.get("image", [])
    fits = len(inputs) == 1 and len(shape) == 4 and shape[1] == shape[2] and shape[3] == 3
    if not fits or not set(outputs) <= set(TASKS) or outputs.get("emotion", [0])[-1] != len(EXPRESSIONS):
        raise InputError(
            f"{file}: not a model of this repository: it takes {', '.join(inputs)} and returns {', '.join(outputs)}"
        )
    return int(shape[1])


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
    return _tabulate(keras.tree.map_structure(lambda *parts: np.concatenate(parts), *outputs))


def _tabulate(outputs: Outputs) -> pd.DataFrame:
    table = pd.DataFrame(outputs["emotion"].astype(np.float64).round(DECIMALS), columns=PROBABILITIES)
    for task in VALENCE_AROUSAL:
        values = outputs[task][:, 0].astype(np.float64).round(DECIMALS) if task in outputs else np.nan
        table[f"predicted_{task}"] = values
    table["predicted_expression"] = table[PROBABILITIES].to_numpy().argmax(axis=1)
    return table[PREDICTED]
