"""Fused TensorFlow kernels for batch norm and Adam, which Keras builds from many ops.

On another backend Keras's own are used. Results differ by rounding alone.
"""
# ruff: noqa: PLC0415, on another backend TensorFlow is never imported

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import layers, ops

from affect.models.backbones.initial_weights import set_weights
from affect.models.backend import ON_TENSORFLOW

if TYPE_CHECKING:
    import tensorflow as tf


class FusedBatchNormalization(layers.BatchNormalization):
    """Batch norm in one of TensorFlow's operations: Keras's takes six, a third of a step on a processor."""

    def call(self, inputs: "tf.Tensor", training: bool | None = None, mask: "tf.Tensor | None" = None) -> "tf.Tensor":
        """Normalise (count, height, width, channels) by the batch in training, else by the moving averages."""
        if not (training and self.trainable) or mask is not None:
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        gamma, beta = (ops.cast(weight, "float32") for weight in (self.gamma, self.beta))
        outputs, mean, unbiased = tf.compat.v1.nn.fused_batch_norm(inputs, gamma, beta, epsilon=self.epsilon)
        values = ops.cast(ops.prod(ops.shape(inputs)[:3]), "float32")
        # Keras's moving variance uses the biased batch variance; the fused op returns the unbiased one.
        for average, value in ((self.moving_mean, mean), (self.moving_variance, unbiased * (values - 1) / values)):
            average.assign(average * self.momentum + value * (1 - self.momentum))
        return outputs


class FusedAdam(keras.optimizers.Adam):
    """Adam that reads and writes each weight once a step: Keras's passes over memory ten times.

    Its moving average of the weights takes two operations a weight, and Keras's eight.
    """

    def update_step(self, gradient: "tf.Tensor", variable: keras.Variable, learning_rate: "tf.Tensor") -> None:
        """Update a variable and its two moments."""
        import tensorflow as tf

        index = self._get_variable_index(variable)
        step = ops.cast(self.iterations + 1, "float32")
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[index].value.handle,
            v=self._velocities[index].value.handle,
            beta1_power=ops.power(self.beta_1, step),
            beta2_power=ops.power(self.beta_2, step),
            lr=learning_rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
            grad=ops.cast(gradient, "float32"),
        )

    def _update_model_variables_moving_average(self, trainable_variables: Sequence[keras.Variable]) -> None:
        """Move the average of each weight towards it; Keras has no public name for this."""
        import tensorflow as tf

        # The first step's average is the weight itself.
        rate = 1 - self.ema_momentum * ops.cast(self.iterations != 0, "float32")
        for weight, average in zip(trainable_variables, self._model_variables_moving_average, strict=True):
            tf.raw_ops.ResourceApplyGradientDescent(var=average.value.handle, alpha=rate, delta=average - weight)


def adam(
    learning_rate: float | keras.optimizers.schedules.LearningRateSchedule, **options: Any
) -> keras.optimizers.Adam:
    """Return Adam with Keras's options, fused where the backend has it."""
    return (FusedAdam if ON_TENSORFLOW else keras.optimizers.Adam)(learning_rate, **options)


def clone_with_fused_ops(model: keras.Model, precision: str | None = None) -> keras.Model:
    """Copy a model for training, with fused batch norm and the same weights; they fit back by `set_weights`.

    `precision` is the Keras dtype policy of the layers that return maps (4-D), instead of their own; what follows
    them keeps its own.
    """

    def copy_layer(layer: keras.Operation) -> keras.Operation:
        config = layer.get_config()
        # An operation that is no layer, such as ResNet50's flip to BGR, takes the type of what it is given.
        has_type = isinstance(layer, layers.Layer) and not isinstance(layer, layers.InputLayer)
        if precision and has_type and layer.output.ndim == 4:
            config["dtype"] = precision
        fused = ON_TENSORFLOW and isinstance(layer, layers.BatchNormalization)
        return (FusedBatchNormalization if fused else type(layer)).from_config(config)

    copy = keras.models.clone_model(model, clone_function=copy_layer)
    set_weights(copy, model.get_weights())
    return copy


def freeze_for_inference(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """Return an inference function, of one input and output, with the current weights baked in as constants.

    TensorFlow folds batch norm into convolutions whose weights are constants, and lays them out once.
    """
    if not ON_TENSORFLOW:
        return model.predict_on_batch
    import tensorflow as tf
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    traced = tf.function(lambda inputs: model(inputs, training=False)).get_concrete_function(
        tf.TensorSpec(model.input.shape, tf.float32)
    )
    folded = convert_variables_to_constants_v2(traced)
    return lambda inputs: folded(tf.constant(inputs, tf.float32))[0].numpy()
