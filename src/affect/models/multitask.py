"""The multi-task model: a backbone, a head for each task, and its split into a frozen and a trainable half."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras
from keras import KerasTensor, layers

from affect.core.labels import EXPRESSIONS, TASKS
from affect.models.backbones import build_backbone
from affect.models.initial_model import ENDING, start_from
from affect.plumbing.errors import InputError


@dataclass(frozen=True)
class Heads:
    """The widths of the dense layers: shared, in the emotion head, and in the valence and the arousal head each.

    pooling: of the backbone's last map, "average" or "attention". dropout: the share of the pooled features that is
    dropped in training.
    """

    shared: int
    emotion: int
    valence_arousal: int
    pooling: str = "average"
    dropout: float = 0.0


@dataclass(frozen=True)
class SplitModel:
    """A model and its two halves, which share its layers.

    full: (count, size, size, 3) RGB 0-255 to {task: (count, 8) probabilities or (count, 1) in [-1, 1]}.
    frozen: the same images to the input of the trainable half; None where every layer trains.
    trainable: the output of the frozen half (or the images) to the outputs of the full model.
    """

    full: keras.Model
    frozen: keras.Model | None
    trainable: keras.Model


def build_model(
    backbone: str,
    size: int,
    weights: str | None,
    fine_tune_layers: int | None,
    heads: Heads,
    tasks: Sequence[str] = TASKS,
    freeze_batch_norm: bool = False,
) -> SplitModel:
    """Build a model whose topmost `fine_tune_layers` backbone layers train (None: all), and the heads of the `tasks`.

    weights: of the backbone, as `build_backbone` takes them, or a saved model to start from, heads and all.
    freeze_batch_norm: whether batch norm stays as it is in the layers that train, too.

    Raises InputError for weights that can't be had and for more layers than the backbone has.
    """
    images = keras.Input((size, size, 3), name="image")
    is_trained = weights is not None and Path(weights).suffix == ENDING
    base = build_backbone(backbone, images, None if is_trained else weights)
    n_frozen = 0 if fine_tune_layers is None else len(base.layers) - fine_tune_layers
    if n_frozen < 0:
        raise InputError(f"model.fine_tune_layers is {fine_tune_layers}, but {backbone} has {len(base.layers)} layers")
    _freeze(base.layers[:n_frozen])
    if freeze_batch_norm:
        _freeze([layer for layer in base.layers if isinstance(layer, layers.BatchNormalization)])
    model = keras.Model(images, _add_heads(base.output, heads, tasks), name=backbone)
    if is_trained:
        start_from(model, Path(str(weights)), {layer.name for layer in base.layers})
    return _split_at(model, n_frozen)


def _pool_by_average(maps: KerasTensor) -> KerasTensor:
    return layers.GlobalAveragePooling2D(name="pooling")(maps)


def _pool_by_attention(maps: KerasTensor) -> KerasTensor:
    """Weigh each position by a softmax of its learned score (Ilse et al. 2018), which starts as the average.

    The layer "attention" returns the weights, (count, rows * columns) row by row, which sum to 1. It and what follows
    take no maps, so that `clone_with_fused_ops` leaves them in float32.
    """
    rows, columns, channels = maps.shape[1:]
    score = layers.Conv2D(1, 1, use_bias=False, kernel_initializer="zeros", name="attention_score")(maps)
    weights = layers.Softmax(name="attention")(layers.Flatten(name="attention_logits")(score))
    vectors = layers.Reshape((rows * columns, channels), name="positions")(maps)
    return layers.Dot(axes=1, name="pooling")([weights, vectors])


def _add_heads(maps: KerasTensor, heads: Heads, tasks: Sequence[str]) -> dict[str, KerasTensor]:
    pooled = {"average": _pool_by_average, "attention": _pool_by_attention}[heads.pooling](maps)
    if heads.dropout:
        pooled = layers.Dropout(heads.dropout, name="dropout")(pooled)
    shared = layers.Dense(heads.shared, "relu", name="shared")(pooled)
    outputs = {}
    for task in tasks:
        if task == "emotion":
            hidden = layers.Dense(heads.emotion, "relu", name="emotion_hidden")(shared)
            outputs[task] = layers.Dense(len(EXPRESSIONS), "softmax", name=task)(hidden)
        else:
            hidden = layers.Dense(heads.valence_arousal, "relu", name=f"{task}_hidden")(shared)
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


def _split_at(model: keras.Model, first_trainable: int) -> SplitModel:
    """Split the model at the last tensor below the first trainable layer through which all paths pass."""
    limit = max(model.operations.index(model.layers[first_trainable]), 1)
    cut = max(point for point in _cut_points(model) if point < limit)
    if cut == 0:
        return SplitModel(model, None, model)
    features = model.operations[cut].output
    return SplitModel(model, keras.Model(model.input, features), keras.Model(features, model.output))


def _cut_points(model: keras.Model) -> list[int]:
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
