"""Predictions by Keras."""

from pathlib import Path

import numpy as np

from affect.models.predictors.predictor import Outputs, Predictor
from affect.models.saved_model import image_size, load_model, model_size, read_card


class KerasPredictor(Predictor):
    """A .keras file."""

    exported = None

    def __init__(self, file: Path) -> None:
        self.file = file
        self.model = load_model(file)
        self.image_size = image_size(self.model)
        self.card = read_card(file)

    def run(self, batch: np.ndarray) -> Outputs:
        """Return the outputs of one batch."""
        return self.model.predict_on_batch(batch)

    def size(self) -> dict[str, int | float]:
        """Return its parameters and the size of its file."""
        return model_size(self.model, self.file)
