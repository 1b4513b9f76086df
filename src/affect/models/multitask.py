"""The multi-task network: a backbone, the heads of the tasks, and the cut between what is frozen and what trains."""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
from keras import KerasTensor, layers

from affect.core.labels import EXPRESSIONS
from affect.models.backbones import build_backbone
from affect.plumbing.errors import InputError

TASKS = ("emotion", "valence", "arousal")


@dataclass(frozen=True)
class Units:
    """The widths of the dense layers: the shared one, the emotion head's, and the valence and arousal heads' each."""

    shared: int
    emotion: int
    affect: int


@dataclass(frozen=True)
class Network:
    """A model and its two halves, which share its layers.

    model: (count, size, size, 3) RGB 0-255 to {task: (count, 8) probabilities or (count, 1) in [-1, 1]}.
    frozen: the same images to what the trained half takes; None where every layer trains.
    trained: the output of the frozen half (or the images) to the model's outputs.
    """

    model: keras.Model
    frozen: keras.Model | None
    trained: keras.Model


def build_network(
    backbone: str,
    size: int,
    weights: str | None,
    fine_tune_layers: int,
    units: Units,
    tasks: Sequence[str] = TASKS,
) -> Network:
    """Build a network whose topmost `fine_tune_layers` backbone layers train, as do the heads of the `tasks`.

    Raises InputError for weights that can't be had and for more layers than the backbone has.
    """
    images = keras.Input((size, size, 3), name="image")
    body = build_backbone(backbone, images, weights)
    if fine_tune_layers > len(body.layers):
        raise InputError(f"model.fine_tune_layers is {fine_tune_layers}, but {backbone} has {len(body.layers)} layers")
    _freeze(body.layers[: len(body.layers) - fine_tune_layers])
    model = keras.Model(images, _add_heads(body.output, units, tasks), name=backbone)
    return _cut(model, frozen_layers=len(body.layers) - fine_tune_layers)


def _add_heads(features: KerasTensor, units: Units, tasks: Sequence[str]) -> dict[str, KerasTensor]:
    pooled = layers.GlobalAveragePooling2D(name="pooling")(features)
    shared = layers.Dense(units.shared, "relu", name="shared")(pooled)
    outputs = {}
    for task in tasks:
        if task == "emotion":
            hidden = layers.Dense(units.emotion, "relu", name="emotion_hidden")(shared)
            outputs[task] = layers.Dense(len(EXPRESSIONS), "softmax", name=task)(hidden)
        else:
            hidden = layers.Dense(units.affect, "relu", name=f"{task}_hidden")(shared)
            outputs[task] = layers.Dense(1, "tanh", name=task)(hidden)
    return outputs


def _freeze(frozen: Sequence[layers.Layer]) -> None:
    """Keep layers as they are, in inference mode even while the others train, so that their output never changes.

    Keras runs a frozen batch norm in inference mode, but goes on dropping in a frozen stochastic-depth layer.
    """
    for layer in frozen:
        layer.trainable = False
        if isinstance(layer, layers.Dropout):
            layer.rate = 0.0


def _cut(model: keras.Model, frozen_layers: int) -> Network:
    """Divide a model at the last place before its first trained layer through which everything passes."""
    first_trained = model.operations.index(model.layers[frozen_layers])
    cut = _bottlenecks(model)
    cut_position = max(position for position in cut if position < max(first_trained, 1))
    if cut_position == 0:
        return Network(model, None, model)
    features = model.operations[cut_position].output
    return Network(model, keras.Model(model.input, features), keras.Model(features, model.output))


def _bottlenecks(model: keras.Model) -> list[int]:
    """Return the positions of the operations whose output alone feeds everything after them."""
    operations = model.operations
    position = {operation: index for index, operation in enumerate(operations)}
    last_use = [0] * len(operations)
    for index, operation in enumerate(operations[1:], start=1):
        for tensor in keras.tree.flatten(operation.input):
            source = position[tensor._keras_history.operation]
            last_use[source] = max(last_use[source], index)
    found, furthest = [], 0
    for index, use in enumerate(last_use):
        if furthest <= index:
            found.append(index)
        furthest = max(furthest, use)
    return found
