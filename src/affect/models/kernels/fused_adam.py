"""Adam in one TensorFlow kernel a weight."""
# ruff: noqa: PLC0415, on another backend TensorFlow is never imported

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import keras
from keras import ops

from affect.models.backend import ON_TENSORFLOW

if TYPE_CHECKING:
    import tensorflow as tf


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
