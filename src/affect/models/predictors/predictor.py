"""What every engine gives: predictions of images as a table."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from affect.core.labels import EXPRESSIONS, TASKS, VALENCE_AROUSAL
from affect.core.predictions import DECIMALS, PREDICTED, PROBABILITIES
from affect.models.backend import keras
from affect.models.card import ExportCard, ModelCard
from affect.plumbing.errors import InputError

# By task: (count, 8) probabilities of the expressions, (count, 1) valence or arousal.
Outputs = dict[str, np.ndarray]

# How many numbers an output has for each image.
WIDTHS = {task: len(EXPRESSIONS) if task == "emotion" else 1 for task in TASKS}
# Of the images of one part of a batch: 4 of 224 pixels a side, 21 of 96.
MAX_PIXELS = 4 * 224**2


class Predictor(ABC):
    """A trained network in a file.

    image_size: pixels a side of the images that it takes. card: what it was trained on; None where its file is older
    than cards. exported: what an exported file says of itself; None for a .keras.
    """

    file: Path
    image_size: int
    card: ModelCard | None
    exported: ExportCard | None

    @property
    def name(self) -> str:
        """The file's name without the ending."""
        return self.file.stem

    @abstractmethod
    def run(self, batch: np.ndarray) -> Outputs:
        """Return the outputs of one batch of images."""

    @abstractmethod
    def size(self) -> dict[str, int | float]:
        """Return its parameters, those that were trained, and the megabytes (10^6) of its file."""

    def predict(self, batches: Iterable[np.ndarray], mirror: bool = False) -> pd.DataFrame:
        """Predict batches of (count, image_size, image_size, 3) images, RGB 0-255.

        mirror: whether a prediction is the mean of those for the image and for its mirror image.

        Returns a row an image with the columns of PREDICTED: expression 0-7, probabilities in [0, 1], valence and
        arousal in [-1, 1], NaN where the network did not learn them. Everything is rounded to six decimals.
        """
        outputs = [self._run_both(batch) if mirror else self.run(batch) for batch in batches]
        return _tabulate(join(outputs))

    def _run_both(self, batch: np.ndarray) -> Outputs:
        outputs, mirrored = self.run(batch), self.run(batch[:, :, ::-1])
        return {task: (values + mirrored[task]) / 2 for task, values in outputs.items()}


class ExportedPredictor(Predictor):
    """A file that `src/export.py` has written."""

    exported: ExportCard

    def size(self) -> dict[str, int | float]:
        """Return the parameters of the model that it was exported from, and the size of its own file."""
        return self.exported.size(self.file)

    def split(self, batch: np.ndarray, at_least: int = 1) -> list[np.ndarray]:
        """Split a batch into parts of which each one's maps fit a processor's cache."""
        parts = max(at_least, math.ceil(len(batch) * self.image_size**2 / MAX_PIXELS))
        return np.array_split(batch, min(parts, len(batch)))


def join(outputs: Sequence[Outputs]) -> Outputs:
    """Put the outputs of several batches into one."""
    return keras.tree.map_structure(lambda *parts: np.concatenate(parts), *outputs)


def require_file(file: Path) -> None:
    """Raise InputError where an exported file is missing."""
    if not file.is_file():
        what = "a folder, and no model" if file.is_dir() else "no such model"
        raise InputError(f"{file}: {what}; write one with `python src/export.py`")


def require_images_to_tasks(inputs: Mapping[str, Sequence], outputs: Mapping[str, Sequence], file: Path) -> int:
    """Return the size of the images that a model takes.

    inputs, outputs: their shapes by name. Raises InputError for others than those of a model of this repository.
    """
    given = list(inputs.get("image", []))
    size = given[1] if len(given) == 4 and isinstance(given[1], int) else 0
    takes_images = len(inputs) == 1 and size > 0 and given[2:] == [size, 3]
    widths = {name: shape[-1] if len(shape) == 2 else None for name, shape in outputs.items()}
    if not takes_images or "emotion" not in widths or not widths.items() <= WIDTHS.items():
        described = (", ".join(f"{name} {list(shape)}" for name, shape in side.items()) for side in (inputs, outputs))
        raise InputError(f"{file}: not a model of this repository: it takes {' and returns '.join(described)}")
    return size


def _tabulate(outputs: Outputs) -> pd.DataFrame:
    table = pd.DataFrame(outputs["emotion"].astype(np.float64).round(DECIMALS), columns=PROBABILITIES)
    for task in VALENCE_AROUSAL:
        values = outputs[task][:, 0].astype(np.float64).round(DECIMALS) if task in outputs else np.nan
        table[f"predicted_{task}"] = values
    table["predicted_expression"] = table[PROBABILITIES].to_numpy().argmax(axis=1)
    return table[PREDICTED]
