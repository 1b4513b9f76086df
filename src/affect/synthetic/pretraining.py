"""Training a backbone from a random start on everything that is known about drawn faces."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

import keras
import tensorflow as tf
from joblib.externals.loky import get_reusable_executor
from keras import layers

from affect.core.files import whole_file
from affect.core.labels import EXPRESSIONS
from affect.models.backbones import build_backbone
from affect.models.kernels import fused_copy
from affect.synthetic.faces import ACTION_UNITS
from affect.synthetic.stream import DrawnStream
from affect.training.batches import stream
from affect.training.fit import ConcordanceCorrelation

_LANDMARKS = 68
_LANDMARK_CHANNELS = 64
# Bring each task's loss to the order of the cross-entropy's.
_LOSS_WEIGHTS = {"emotion": 1.0, "valence": 5.0, "arousal": 5.0, "action_units": 4.0, "landmarks": 10.0}


def build_network(backbone: str, size: int, batch_norm_momentum: float) -> tuple[keras.Model, keras.Model]:
    """Build the network, and return it with the backbone in it.

    The network takes images (count, size, size, 3) RGB 0-255 and returns the targets of `affect.synthetic.stream`.
    """
    plain = build_backbone(backbone, keras.Input((size, size, 3), name="image"), weights=None)
    body = fused_copy(plain)
    _ease_start(body.layers, batch_norm_momentum)
    pooled = layers.GlobalAveragePooling2D(name="pooling", dtype="float32")(body.output)
    # Where a landmark lies is lost in pooling.
    places = layers.Conv2D(_LANDMARK_CHANNELS, 1, name="landmark_maps", dtype="float32")(body.output)
    outputs = {
        "emotion": layers.Dense(len(EXPRESSIONS), "softmax", name="emotion", dtype="float32")(pooled),
        "valence": layers.Dense(1, "tanh", name="valence", dtype="float32")(pooled),
        "arousal": layers.Dense(1, "tanh", name="arousal", dtype="float32")(pooled),
        "action_units": layers.Dense(len(ACTION_UNITS), "sigmoid", name="action_units", dtype="float32")(pooled),
        "landmarks": layers.Dense(2 * _LANDMARKS, name="landmarks", dtype="float32")(layers.Flatten()(places)),
    }
    return keras.Model(body.input, outputs, name=f"{backbone}_on_drawn_faces"), body


def _ease_start(body: Sequence[layers.Layer], batch_norm_momentum: float) -> None:
    """Let every residual block begin as the identity (Goyal et al. 2017, section 5.1), and none be dropped.

    Where no face comes twice there is nothing to regularise. The moving averages of batch norm are to follow a run of
    a few thousand steps.
    """
    names = {layer.name for layer in body}
    for layer in body:
        if isinstance(layer, layers.Dropout):
            layer.rate = 0.0
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = batch_norm_momentum
            ends_block = re.fullmatch(r"(.+)_(3|project)_bn", layer.name)
            if ends_block and f"{ends_block[1]}_add" in names:
                layer.gamma.assign(keras.ops.zeros_like(layer.gamma))


def compile_network(
    network: keras.Model, steps: int, warm_up: float, learning_rate: float, weight_decay: float
) -> None:
    """Set AdamW, whose rate rises over the share `warm_up` of the steps and then falls as a cosine, and the losses."""
    warm_up_steps = round(warm_up * steps)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, steps - warm_up_steps, warmup_target=learning_rate, warmup_steps=warm_up_steps
    )
    network.compile(
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


def draw_batches(faces: DrawnStream, steps: range) -> tf.data.Dataset:
    """Return the batches of `steps`, in order, drawn by as many other processes as there are cores."""
    processes = os.cpu_count() or 1
    executor = get_reusable_executor(max_workers=processes)
    return stream(lambda step: executor.submit(faces.batch, step).result(), steps, ahead=2 * processes)


class Checkpoint(keras.callbacks.Callback):
    """Keep weights, optimiser and random states after each epoch, so that a run can go on where it was stopped."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.file = file

    def restore(self, network: keras.Model) -> int:
        """Load a compiled network's state, if there is one, and return the steps that it has trained."""
        network.optimizer.build(network.trainable_variables)
        if self.file.is_file():
            network.load_weights(self.file)
        return int(network.optimizer.iterations)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002, Keras passes them
        """Replace the file by the present state, in one step."""
        with whole_file(self.file) as unfinished:
            self.model.save_weights(unfinished)
