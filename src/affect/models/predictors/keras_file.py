"""Predictions by Keras."""

from pathlib import Path

import numpy as np

from affect.models.predictors.predictor import Outputs, Predictor, require_images_to_tasks
from affect.models.saved_model import load_model, model_size, read_card


class KerasPredictor(Predictor):
    """A .keras file."""

    exported = None

    def __init__(self, file: Path) -> None:
        self.file = file
        self.model = load_model(file)
        inputs = {tensor.name: tensor.shape for tensor in self.model.inputs}
        # Exported, it is called so, whatever it is called here.
        given = inputs if len(inputs) > 1 else dict.fromkeys(["image"], *inputs.values())
        made = {name: tensor.shape for name, tensor in self.model.output.items()}
        self.image_size = require_images_to_tasks(given, made, file)
        self.card = read_card(file)

    def run(self, batch: np.ndarray) -> Outputs:
        """Return the outputs of one batch."""
        return self.model.predict_on_batch(batch)

    def size(self) -> dict[str, int | float]:
        """Return its parameters and the size of its file."""
        return model_size(self.model, self.file)
