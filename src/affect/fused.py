"""The operations that training spends its time on, each in one of TensorFlow's kernels where Keras composes many.

On another backend Keras's own are used. Results differ by rounding alone.
"""

import keras
import tensorflow as tf
from keras import layers, ops

_ON_TENSORFLOW = keras.backend.backend() == "tensorflow"


class FusedBatchNormalization(layers.BatchNormalization):
    """Batch norm in one of TensorFlow's operations: Keras's takes six, a third of a step on a processor."""

    def call(self, inputs: tf.Tensor, training: bool | None = None, mask: tf.Tensor | None = None) -> tf.Tensor:
        """Normalise (count, height, width, channels) by the batch in training, else by the moving averages."""
        if not (training and self.trainable) or mask is not None:
            return super().call(inputs, training=training, mask=mask)
        gamma, beta = (ops.cast(weight, "float32") for weight in (self.gamma, self.beta))
        outputs, mean, unbiased = tf.compat.v1.nn.fused_batch_norm(inputs, gamma, beta, epsilon=self.epsilon)
        values = ops.cast(ops.prod(ops.shape(inputs)[:3]), "float32")
        # Keras averages the variance of the batch as it is, not an estimate of what it was drawn from.
        for average, value in ((self.moving_mean, mean), (self.moving_variance, unbiased * (values - 1) / values)):
            average.assign(average * self.momentum + value * (1 - self.momentum))
        return outputs


class FusedAdam(keras.optimizers.Adam):
    """Adam that reads and writes each weight once a step: Keras's passes over memory ten times."""

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable, learning_rate: tf.Tensor) -> None:
        """Update a variable and its two moments."""
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


def adam(learning_rate: float) -> keras.optimizers.Adam:
    """Return Adam, fused where the backend has it."""
    return (FusedAdam if _ON_TENSORFLOW else keras.optimizers.Adam)(learning_rate)


def fused_copy(model: keras.Model, precision: str = "float32") -> keras.Model:
    """Copy a model for training, with fused batch norm and the same weights; they fit back by `set_weights`.

    `precision` is the Keras dtype policy of the layers that return maps (4-D); what follows them stays in float32.
    """

    def copy_layer(layer: layers.Layer) -> layers.Layer:
        config = layer.get_config()
        if layer.output.ndim == 4 and not isinstance(layer, layers.InputLayer):
            config["dtype"] = precision
        fused = _ON_TENSORFLOW and isinstance(layer, layers.BatchNormalization)
        return (FusedBatchNormalization if fused else type(layer)).from_config(config)

    copy = keras.models.clone_model(model, clone_function=copy_layer)
    copy.set_weights(model.get_weights())
    return copy
