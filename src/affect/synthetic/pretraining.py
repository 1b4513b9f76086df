"""Pretraining: a backbone from random weights learns all labels of the drawn faces."""

import json
import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import keras
import numpy as np
from joblib.externals.loky import get_reusable_executor
from keras import layers

from affect.core.files import atomic_file
from affect.core.labels import EXPRESSIONS
from affect.models.backbones import BACKBONES, build_backbone
from affect.models.kernels import clone_with_fused_ops
from affect.synthetic.faces import ACTION_UNITS
from affect.synthetic.stream import SyntheticFaces
from affect.training.input.batches import to_tf_dataset
from affect.training.recipe.objective import ConcordanceCorrelation
from affect.training.recipe.optimizer import warm_up_and_cosine

if TYPE_CHECKING:
    import tensorflow as tf

_LANDMARKS = 68
_LANDMARK_CHANNELS = 64
# Where a checkpoint has the epochs, beside what Keras keeps.
_EPOCHS = "affect_epochs"
# The last weights of a transformer block's two residual branches.
_ENDS_TRANSFORMER_BRANCH = re.compile(r"_(mlp_out|attention/attention_output)/kernel$")
# What reads all maps of a dense block that are there already.
_READS_DENSE_BLOCK = re.compile(r"conv(\d+)_block\d+_0_bn")
# Of the maps that a dense block has made itself.
_DENSE_GAMMA = 0.1
# Bring each task's loss to the order of the cross-entropy's.
_LOSS_WEIGHTS = {"emotion": 1.0, "valence": 5.0, "arousal": 5.0, "action_units": 4.0, "landmarks": 10.0}


def build_pretraining_model(name: str, size: int, batch_norm_momentum: float) -> tuple[keras.Model, keras.Model]:
    """Build the model to train, and return it with the backbone in it.

    The model takes images (count, size, size, 3) RGB 0-255 and returns the targets of `affect.synthetic.stream`.
    """
    images = keras.Input((size, size, 3), name="image")
    backbone = clone_with_fused_ops(build_backbone(name, images, weights=None))
    _ease_start(backbone.layers, batch_norm_momentum)
    pooled = layers.GlobalAveragePooling2D(name="pooling", dtype="float32")(backbone.output)
    # Where a landmark lies is lost in pooling.
    places = layers.Conv2D(_LANDMARK_CHANNELS, 1, name="landmark_maps", dtype="float32")(backbone.output)
    outputs = {
        "emotion": layers.Dense(len(EXPRESSIONS), "softmax", name="emotion", dtype="float32")(pooled),
        "valence": layers.Dense(1, "tanh", name="valence", dtype="float32")(pooled),
        "arousal": layers.Dense(1, "tanh", name="arousal", dtype="float32")(pooled),
        "action_units": layers.Dense(len(ACTION_UNITS), "sigmoid", name="action_units", dtype="float32")(pooled),
        "landmarks": layers.Dense(2 * _LANDMARKS, name="landmarks", dtype="float32")(layers.Flatten()(places)),
    }
    return keras.Model(backbone.input, outputs, name=f"{name}_on_drawn_faces"), backbone


def _ease_start(backbone: Sequence[layers.Layer], batch_norm_momentum: float) -> None:
    """Let every residual block begin as the identity (Goyal et al. 2017, section 5.1), and none be dropped.

    The layers of a dense block likewise begin by reading what the block is given, and little of each other: not
    nothing, which the ReLU after it would let be nothing for ever. Where no face comes twice there is nothing to
    regularise. The moving averages of batch norm must converge within a few thousand steps.
    """
    names = {layer.name for layer in backbone}
    given: dict[str, int] = {}
    for layer in backbone:
        if isinstance(layer, layers.Dropout):
            layer.rate = 0.0
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = batch_norm_momentum
            ends_block = re.fullmatch(r"(.+)_(3|project)_bn", layer.name)
            if ends_block and f"{ends_block[1]}_add" in names:
                layer.gamma.assign(np.zeros(layer.gamma.shape))
            if in_dense_block := _READS_DENSE_BLOCK.fullmatch(layer.name):
                channels = layer.gamma.shape[0]
                first = given.setdefault(in_dense_block[1], channels)
                layer.gamma.assign(np.where(np.arange(channels) < first, 1.0, _DENSE_GAMMA))
        for weight in layer.weights:
            if _ENDS_TRANSFORMER_BRANCH.search(weight.path):
                weight.assign(np.zeros(weight.shape))


def compile_pretraining_model(
    model: keras.Model, steps: int, warm_up: float, learning_rate: float, weight_decay: float
) -> None:
    """Set AdamW, whose rate rises over the share `warm_up` of the steps and then falls as a cosine, and the losses."""
    schedule = warm_up_and_cosine(learning_rate, steps, warm_up)
    model.compile(
        optimizer=keras.optimizers.AdamW(schedule, weight_decay=weight_decay, global_clipnorm=1.0),
        loss={
            "emotion": "sparse_categorical_crossentropy",
            "valence": "mean_squared_error",
            "arousal": "mean_squared_error",
            "action_units": "binary_crossentropy",
            "landmarks": "mean_squared_error",
        },
        loss_weights=_LOSS_WEIGHTS,
        metrics={
            "emotion": [keras.metrics.SparseCategoricalAccuracy("accuracy")],
            "valence": [ConcordanceCorrelation()],
            "arousal": [ConcordanceCorrelation()],
            "action_units": [keras.metrics.MeanAbsoluteError("mae")],
            "landmarks": [keras.metrics.RootMeanSquaredError("rmse")],
        },
    )


def render_batches(faces: SyntheticFaces, steps: range) -> "tf.data.Dataset":
    """Return the batches of `steps`, in order, drawn by as many other processes as there are cores."""
    processes = os.cpu_count() or 1
    executor = get_reusable_executor(max_workers=processes)
    return to_tf_dataset(lambda step: executor.submit(faces.batch, step).result(), steps, ahead=2 * processes)


class PretrainingCheckpoint(keras.callbacks.Callback):
    """Save weights, optimiser and random states after each epoch: a killed pretraining resumes bit-identically.

    epochs: the losses and metrics of each finished epoch, for the curves.
    """

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file
        self.epochs: list[dict[str, float]] = []

    def restore(self, model: keras.Model) -> int:
        """Restore a compiled model from the file, if there is one, and return the steps that it has trained."""
        model.optimizer.build(model.trainable_variables)
        if self.file.is_file():
            model.load_weights(self.file)
            with h5py.File(self.file) as saved:
                self.epochs = json.loads(saved[_EPOCHS].asstr()[()])
        return int(model.optimizer.iterations)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002, Keras passes them
        """Replace the file by the present state, in one step."""
        self.epochs.append({name: float(value) for name, value in (logs or {}).items()})
        with atomic_file(self.file) as temporary:
            self.model.save_weights(temporary)
            with h5py.File(temporary, "a") as saved:
                saved[_EPOCHS] = json.dumps(self.epochs)


def save_backbone(name: str, backbone: keras.Model, file: Path) -> None:
    """Write the weights of a backbone for `build_backbone`: half precision, compressed, half the size of float32.

    Raises ValueError for a weight beyond half precision.
    """
    # Without the layers that `build_backbone` puts before it.
    constructed = BACKBONES[name].construct(keras.Input(backbone.inputs[0].shape[1:]), None)
    constructed.set_weights(backbone.get_weights())
    with tempfile.TemporaryDirectory() as folder, atomic_file(file) as temporary:
        whole = Path(folder) / file.name
        constructed.save_weights(whole)
        _halve(whole, temporary)


def _halve(whole: Path, file: Path) -> None:
    with h5py.File(whole) as source, h5py.File(file, "w") as target:

        def copy(path: str, item: h5py.Group | h5py.Dataset) -> None:
            if not isinstance(item, h5py.Dataset):
                target.require_group(path).attrs.update(item.attrs)
                return
            half = item[()].astype(np.float16)
            if not np.isfinite(half).all():
                raise ValueError(f"{path} holds a value beyond half precision")
            options = {"compression": "gzip", "compression_opts": 9, "shuffle": True} if half.ndim else {}
            target.create_dataset(path, data=half, **options).attrs.update(item.attrs)

        source.visititems(copy)
