"""Keras's layers in fewer or faster TensorFlow operations, for training on a processor.

Each computes what its parent does, to rounding.
"""
# ruff: noqa: PLC0415, on another backend TensorFlow is never imported

from typing import TYPE_CHECKING

import keras
import numpy as np
from keras import layers, ops

if TYPE_CHECKING:
    import tensorflow as tf

# Below this many pairs of positions in and out the products of all pairs are faster than the filter's own gradient.
MAX_PAIRS = 1300


def fused_class(layer: keras.Operation, whole: bool) -> type[keras.Operation]:
    """Return what computes the same as a built layer, faster: one of this module's layers, or its own class.

    whole: all layers of the network train.
    """
    if isinstance(layer, layers.BatchNormalization):
        return FusedBatchNormalization
    # Where the topmost train alone it would gain 5 to 13 % of a step, and change each published figure by rounding.
    if not whole:
        return type(layer)
    if isinstance(layer, layers.Activation) and layer.activation is keras.activations.silu:
        return FusedSwish
    if isinstance(layer, layers.DepthwiseConv2D) and _has_small_maps(layer):
        return SmallMapDepthwiseConv2D
    if isinstance(layer, layers.Conv2D) and layer.kernel_size == (1, 1) and layer.input.shape[1:3] == (1, 1):
        return PixelConv2D
    return type(layer)


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


class FusedSwish(layers.Activation):
    """Swish whose gradient passes over memory four times, and TensorFlow's six."""

    def call(self, inputs: "tf.Tensor") -> "tf.Tensor":
        """Return inputs times their sigmoid, of the same shape."""
        import tensorflow as tf

        @tf.custom_gradient
        def swish(values: tf.Tensor) -> tuple:
            outputs = values * tf.sigmoid(values)

            def gradient(upstream: tf.Tensor) -> tf.Tensor:
                # Softplus's derivative is the sigmoid.
                by_sigmoid = tf.raw_ops.SoftplusGrad(gradients=upstream, features=values)
                return by_sigmoid * (1 + (values - outputs))

            return outputs, gradient

        return swish(inputs)


class PixelConv2D(layers.Conv2D):
    """A convolution of maps of one position, as in squeeze and excitation: a product of matrices."""

    def call(self, inputs: "tf.Tensor") -> "tf.Tensor":
        """Map (count, 1, 1, channels) to (count, 1, 1, filters)."""
        outputs = ops.matmul(inputs[:, 0, 0], self.kernel[0, 0])
        if self.use_bias:
            outputs = outputs + self.bias
        return self.activation(outputs)[:, None, None]


class SmallMapDepthwiseConv2D(layers.DepthwiseConv2D):
    """A depthwise convolution of small maps by a large filter, whose own gradient by the filter is slow."""

    def call(self, inputs: "tf.Tensor") -> "tf.Tensor":
        """Filter each channel of (count, height, width, channels) by itself."""
        import tensorflow as tf

        stride, padding = self.strides[0], self.padding.upper()
        options = {"strides": [1, stride, stride, 1], "padding": padding}

        @tf.custom_gradient
        def convolve(maps: tf.Tensor, kernel: tf.Tensor) -> tuple:
            def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
                to_maps = tf.raw_ops.DepthwiseConv2dNativeBackpropInput(
                    input_sizes=tf.shape(maps), filter=kernel, out_backprop=upstream, **options
                )
                return to_maps, _filter_gradient(maps, upstream, kernel.shape, stride, padding)

            return tf.nn.depthwise_conv2d(maps, kernel, **options), gradient

        return convolve(inputs, tf.convert_to_tensor(self.kernel.value))


def _has_small_maps(layer: layers.DepthwiseConv2D) -> bool:
    positions = [np.prod(shape[1:3]) for shape in (layer.input.shape, layer.output.shape)]
    plain = not layer.use_bias and layer.activation is keras.activations.linear
    single = layer.depth_multiplier == 1 and set(layer.dilation_rate) == {1}
    return plain and single and min(layer.kernel_size) >= 5 and np.prod(positions) <= MAX_PAIRS


def _filter_gradient(maps: "tf.Tensor", upstream: "tf.Tensor", kernel: tuple, stride: int, padding: str) -> "tf.Tensor":
    """Sum the products of each value in and each value out over the images, then over the pairs that a weight joins."""
    import tensorflow as tf

    (_, *before, channels), (_, *after, _) = maps.shape, upstream.shape
    products = tf.matmul(
        tf.transpose(tf.reshape(maps, (-1, np.prod(before), channels)), (2, 1, 0)),
        tf.transpose(tf.reshape(upstream, (-1, np.prod(after), channels)), (2, 0, 1)),
    )
    rows, columns = (_joined(*sizes, stride, padding) for sizes in zip(before, after, kernel[:2], strict=True))
    pairs = np.einsum("abi,cdj->acbdij", rows, columns).reshape(-1, kernel[0] * kernel[1])
    gradient = tf.matmul(tf.reshape(products, (channels, -1)), tf.constant(pairs, maps.dtype))
    return tf.reshape(tf.transpose(gradient), kernel)


def _joined(before: int, after: int, size: int, stride: int, padding: str) -> np.ndarray:
    """Return (before, after, size): 1 where a filter's tap joins a position in to one out, else 0."""
    missing = max((after - 1) * stride + size - before, 0) if padding == "SAME" else 0
    position, output, tap = np.ogrid[:before, :after, :size]
    return (position == output * stride + tap - missing // 2).astype(np.float32)
