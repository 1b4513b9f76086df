"""Predictions by Keras."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pandas as pd

from affect.models.card import ExportCard
from affect.models.predictors.predictor import Outputs, predict_all
from affect.models.saved_model import image_size, load_model, model_size, read_card


class KerasPredictor:
    """A .keras file. mirror: whether a prediction is the mean of those for the image and for its mirror image."""

    def __init__(self, file: Path, mirror: bool = False) -> None:
        self.file = file
        self.name = file.stem
        self.model = load_model(file)
        self.image_size = image_size(self.model)
        self.card = read_card(file)
        self.exported: ExportCard | None = None
        self.mirror = mirror

    def predict(self, batches: Iterable[np.ndarray]) -> pd.DataFrame:
        """Predict batches of images."""
        return predict_all(self.run, batches, self.mirror)

    def run(self, batch: np.ndarray) -> Outputs:
        """Return the outputs of one batch."""
        return self.model.predict_on_batch(batch)

    def size(self) -> dict[str, int | float]:
        """Return its parameters and the size of its file."""
        return model_size(self.model, self.file)
