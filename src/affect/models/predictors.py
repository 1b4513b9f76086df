"""From images to a table of predictions, one way for whatever file a network is in."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
from keras import tree
from tqdm import tqdm

from affect.core.labels import VALENCE_AROUSAL
from affect.core.predictions import COLUMNS, DECIMALS, PREDICTED, PROBABILITIES
from affect.core.records import Records
from affect.models.card import ModelCard
from affect.models.saved_model import image_size, load_model, model_size, read_card
from affect.plumbing.errors import InputError


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


class KerasPredictor:
    """A .keras file. mirror: whether a prediction is the mean of those for the image and for its mirror image."""

    def __init__(self, file: Path, mirror: bool = False) -> None:
        self.file = file
        self.name = file.stem
        self.model = load_model(file)
        self.image_size = image_size(self.model)
        self.card = read_card(file)
        self.mirror = mirror

    def predict(self, batches: Iterable[np.ndarray]) -> pd.DataFrame:
        """Predict batches of images."""
        outputs = [self._predict(batch) for batch in batches]
        return tabulate(tree.map_structure(lambda *parts: np.concatenate(parts), *outputs))

    def size(self) -> dict[str, int | float]:
        """Return its parameters and the size of its file."""
        return model_size(self.model, self.file)

    def _predict(self, batch: np.ndarray) -> dict[str, np.ndarray]:
        outputs = self.model.predict_on_batch(batch)
        if not self.mirror:
            return outputs
        mirrored = self.model.predict_on_batch(batch[:, :, ::-1])
        return {task: (values + mirrored[task]) / 2 for task, values in outputs.items()}


FORMATS: dict[str, Callable[[Path, bool], Predictor]] = {".keras": KerasPredictor}


def open_predictor(file: Path, mirror: bool = False) -> Predictor:
    """Open the file of a trained network, as its ending says; nothing in it is ever executed.

    mirror: whether a prediction is the mean of those for the image and for its mirror image.

    Raises InputError for another ending, and for what is no trained network.
    """
    if file.suffix not in FORMATS:
        raise InputError(f"{file}: not a model: its name should end in {' or '.join(FORMATS)}")
    return FORMATS[file.suffix](file, mirror)


def tabulate(outputs: dict[str, np.ndarray]) -> pd.DataFrame:
    """Return the outputs by task, (count, 8) or (count, 1), as the table that `Predictor.predict` returns."""
    table = pd.DataFrame(outputs["emotion"].astype(np.float64).round(DECIMALS), columns=PROBABILITIES)
    for task in VALENCE_AROUSAL:
        values = outputs[task][:, 0].astype(np.float64).round(DECIMALS) if task in outputs else np.nan
        table[f"predicted_{task}"] = values
    table["predicted_expression"] = table[PROBABILITIES].to_numpy().argmax(axis=1)
    return table[PREDICTED]


def predict_records(predictor: Predictor, records: Records, batch_size: int) -> pd.DataFrame:
    """Predict records in batches; returns their ids and labels beside the predictions, the columns of COLUMNS."""
    starts = tqdm(range(0, len(records.images), batch_size), desc=predictor.name, disable=None)
    predicted = predictor.predict(records.images[start : start + batch_size] for start in starts)
    return records.index.join(predicted)[COLUMNS]
