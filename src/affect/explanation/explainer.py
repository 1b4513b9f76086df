"""Maps of what a trained network's outputs rest on, for any batch of images."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tqdm import tqdm

from affect.core.labels import TASKS
from affect.core.opencv import cv2
from affect.explanation.attention import read_attention
from affect.explanation.gradients import Maps, Outputs, weigh_places
from affect.models.backbones import BACKBONES
from affect.models.backend import keras
from affect.models.predictors import KerasPredictor
from affect.models.predictors.opening import FORMATS
from affect.plumbing.errors import InputError

# By gradients, signed; then that of a network with attention, which has neither sign nor task.
METHODS = ("hirescam", "gradcam", "attention")
# Of probabilities whose logarithm is taken: about what float32 can tell from 0 beside 1.
LEAST = 1e-7


@dataclass(frozen=True)
class Explanation:
    """What a network returns for images, and where that comes from.

    outputs: by task. expressions: (count,) 0-7, the explained ones. maps: by method and task, (count, rows, columns)
    float32; positive where a place raises the expression's logit, the valence or the arousal. is_named: whether the
    expressions were named, rather than predicted.
    """

    outputs: Outputs
    expressions: np.ndarray
    maps: Maps
    is_named: bool = False

    @property
    def tasks(self) -> list[str]:
        """The tasks that the network has learnt."""
        return [task for task in TASKS if task in self.outputs]

    def signs(self, task: str) -> np.ndarray:
        """Return (count,) 1 or -1: on which side an output is. What speaks for an expression is always positive."""
        values = self.outputs[task]
        return np.ones(len(values), int) if task == "emotion" else np.where(values[:, 0] < 0, -1, 1)

    def score(self, outputs: Outputs) -> dict[str, np.ndarray]:
        """Return, by task, (count,) what a test of the maps measures in other outputs of the same images, altered.

        It is the probability of the predicted expression, and the logarithm of that of a named one, since what is near
        0 already can't fall; valence and arousal towards the side on which they are here.
        """
        scores = {task: self.signs(task) * outputs[task][:, 0] for task in self.tasks if task != "emotion"}
        explained = outputs["emotion"][np.arange(len(self.expressions)), self.expressions]
        return {"emotion": np.log(np.maximum(explained, LEAST)) if self.is_named else explained} | scores

    def select(self, rows: slice) -> "Explanation":
        """Return the part of some images."""
        outputs = {task: values[rows] for task, values in self.outputs.items()}
        maps = {method: {task: each[rows] for task, each in maps.items()} for method, maps in self.maps.items()}
        return Explanation(outputs, self.expressions[rows], maps, self.is_named)

    @classmethod
    def join(cls, parts: Sequence["Explanation"]) -> "Explanation":
        """Put those of several batches into one."""
        trees = [(part.outputs, part.expressions, part.maps) for part in parts]
        outputs, expressions, maps = keras.tree.map_structure(lambda *each: np.concatenate(each), *trees)
        return cls(outputs, expressions, maps, parts[0].is_named)


class Explainer:
    """Explains a model of this repository.

    layer: the name of the one whose map is explained; None for that which the registry has for the network. Raises
    InputError for a network that the registry does not know, and for a layer that there is not, or beside which other
    paths pass.
    """

    def __init__(self, model: keras.Model, layer: str | None = None) -> None:
        if layer is None and model.name not in BACKBONES:
            raise InputError(f"{model.name} is none of {', '.join(BACKBONES)}; name the layer whose map is explained")
        self.layer = layer or BACKBONES[model.name].explained_layer
        self.weigh = weigh_places(model, self.layer)
        self.read_attention = read_attention(model)

    @property
    def methods(self) -> list[str]:
        """The methods that the network has."""
        return [method for method in METHODS if method != "attention" or self.read_attention]

    def explain(self, images: np.ndarray, expressions: np.ndarray | None = None) -> Explanation:
        """Explain one batch of (count, size, size, 3) images, RGB 0-255.

        expressions: (count,) 0-7, which one to explain of each image; None for the predicted ones.
        """
        chosen = np.full(len(images), -1) if expressions is None else expressions
        outputs, chosen, maps = self.weigh(images, chosen.astype(np.int32))
        if self.read_attention:
            attention = self.read_attention(images)
            maps["attention"] = {task: attention for task in TASKS if task in outputs}
        return Explanation(outputs, chosen, maps, expressions is not None)


def explain_all(
    explainer: Explainer, images: np.ndarray, batch_size: int, expressions: np.ndarray | None = None
) -> Explanation:
    """Explain images in batches, as `Explainer.explain` does."""
    parts = []
    for start in tqdm(range(0, len(images), batch_size), desc="maps", disable=None):
        rows = slice(start, start + batch_size)
        parts.append(explainer.explain(images[rows], None if expressions is None else expressions[rows]))
    return Explanation.join(parts)


def open_explainer(file: Path, layer: str | None = None) -> tuple[Explainer, KerasPredictor]:
    """Open a .keras file to explain, and to predict by. Raises InputError for what is none, and as `Explainer` does."""
    if file.suffix != ".keras":
        what = "exported files have no gradients" if file.suffix in FORMATS else "not a model"
        raise InputError(f"{file}: {what}; explain a .keras file, as train writes them")
    predictor = KerasPredictor(file)
    return Explainer(predictor.model, layer), predictor


def enlarge(maps: np.ndarray, size: int) -> np.ndarray:
    """Return (count, rows, columns) maps as (count, size, size), interpolated linearly."""
    return np.stack([cv2.resize(each, (size, size), interpolation=cv2.INTER_LINEAR) for each in maps])
