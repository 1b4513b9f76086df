"""Initial weights from a file, at whatever image size they were trained."""

from collections.abc import Sequence
from pathlib import Path
from textwrap import shorten

import h5py
import keras
import numpy as np

from affect.models.backbones.registry import Backbone
from affect.models.backbones.transformer import POSITION_EMBEDDING
from affect.plumbing import paths
from affect.plumbing.errors import InputError

MAX_REASON = 200
# Where Keras puts the bias of a model's first EinsumDense.
_STORED_POSITIONS = "layers/einsum_dense/vars/1"


def load_weights(backbone: Backbone, model: keras.Model, file: Path) -> None:
    """Load the weights in a file into a model that `backbone.construct` has made.

    A position embedding of another image size is interpolated, as in Dosovitskiy et al. 2021, section 3.2. Raises
    InputError where the file is missing or does not fit.
    """
    if not file.is_file():
        raise InputError(
            f"model.weights: {file} is missing; put it there (made by `backbone.save_weights`, or for {paths.WEIGHTS} "
            f"by `python src/pretrain.py {file.parent.name}`), or set model.weights to "
            f"{'imagenet, or to ' if backbone.has_imagenet else ''}null for a random start"
        )
    try:
        if backbone.has_position_embedding:
            _load_with_positions(backbone, model, file)
        else:
            model.load_weights(file)
    except (OSError, ValueError, KeyError) as error:
        # Keras prints the values of all weights that are left over.
        reason = shorten(" ".join(str(error).split()), MAX_REASON, placeholder=" ...")
        raise InputError(f"model.weights: {file} does not hold the weights of this backbone: {reason}") from error


def set_weights(target: keras.Model | keras.layers.Layer, weights: Sequence[np.ndarray]) -> None:
    """Set all weights, in Keras's order, and have them used.

    Keras's Normalization goes on with its former mean and variance until it is loaded from a file, or told to finish.
    """
    target.set_weights(weights)
    for layer in target.layers if isinstance(target, keras.Model) else [target]:
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()


def _load_with_positions(backbone: Backbone, model: keras.Model, file: Path) -> None:
    with h5py.File(file) as stored:
        rows, columns, _ = stored[_STORED_POSITIONS].shape
    source = backbone.construct(keras.Input((rows * backbone.size_multiple, columns * backbone.size_multiple, 3)), None)
    source.load_weights(file)
    for layer, target in zip(_weighted(source), _weighted(model), strict=True):
        values = layer.get_weights()
        if layer.name == POSITION_EMBEDDING and layer.bias.shape != target.bias.shape:
            scale, positions = values
            values = [scale, keras.ops.image.resize(positions, target.bias.shape[:2], "bicubic")]
        target.set_weights(values)


def _weighted(model: keras.Model) -> list[keras.layers.Layer]:
    return [layer for layer in model.layers if layer.weights]
