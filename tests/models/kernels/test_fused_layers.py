"""A fused layer is its parent, its gradients too, and a network gets them where they are faster."""

from collections import Counter

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from affect.models.kernels import clone_with_fused_ops
from affect.models.kernels.fused_layers import (
    FusedBatchNormalization,
    FusedSwish,
    PixelConv2D,
    SmallMapDepthwiseConv2D,
    fused_class,
)
from affect.models.multitask import Heads, build_model

IMAGES = np.random.default_rng(1).normal(2, 3, (16, 8, 8, 4)).astype(np.float32)


def make_batch_norms(trainable: bool) -> list[layers.BatchNormalization]:
    norms = [layer(momentum=0.9, trainable=trainable) for layer in (FusedBatchNormalization, layers.BatchNormalization)]
    for norm in norms:
        norm.build(IMAGES.shape)
        norm.gamma.assign([0.5, 1.0, 2.0, -1.0])
        norm.beta.assign([0.0, 1.0, -1.0, 0.5])
    return norms


@pytest.mark.parametrize("trainable", [True, False])
def test_fused_batch_norm_is_batch_norm(trainable: bool) -> None:
    fused, plain = make_batch_norms(trainable)
    np.testing.assert_allclose(fused(IMAGES, training=True), plain(IMAGES, training=True), atol=1e-5)
    assert (plain.moving_mean.numpy().any()) == trainable
    np.testing.assert_allclose(fused.moving_variance, plain.moving_variance, rtol=1e-5)
    np.testing.assert_allclose(fused.moving_mean, plain.moving_mean, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(fused(IMAGES, training=False), plain(IMAGES, training=False), atol=1e-5)


def differentiate(layer: layers.Layer, maps: np.ndarray) -> list[np.ndarray]:
    """Return what a layer gives, and the gradients of a weighted sum of that by its input and weights."""
    given = tf.constant(maps)
    with tf.GradientTape() as tape:
        tape.watch(given)
        made = layer(given)
        weighted = tf.reduce_sum(made * np.random.default_rng(2).normal(size=made.shape).astype(np.float32))
    weights = [weight.value for weight in layer.trainable_variables]
    return [made.numpy(), *(gradient.numpy() for gradient in tape.gradient(weighted, [given, *weights]))]


@pytest.mark.parametrize(
    ("expected", "layer", "shape"),
    [
        (FusedSwish, layers.Activation("swish"), (4, 3, 5)),
        (PixelConv2D, layers.Conv2D(6, 1, activation="swish"), (1, 1, 5)),
        (PixelConv2D, layers.Conv2D(6, 1, use_bias=False), (1, 1, 5)),
        (SmallMapDepthwiseConv2D, layers.DepthwiseConv2D(5, padding="same", use_bias=False), (6, 6, 3)),
        (SmallMapDepthwiseConv2D, layers.DepthwiseConv2D(5, padding="same", use_bias=False), (3, 4, 3)),
        (SmallMapDepthwiseConv2D, layers.DepthwiseConv2D(7, 2, padding="same", use_bias=False), (6, 5, 3)),
        (SmallMapDepthwiseConv2D, layers.DepthwiseConv2D(5, 2, use_bias=False), (9, 8, 3)),
    ],
)
def test_a_fused_layer_and_its_gradients_are_those_of_its_parent(
    expected: type[layers.Layer], layer: layers.Layer, shape: tuple[int, ...]
) -> None:
    keras.utils.set_random_seed(1)
    layer(keras.Input(shape))
    assert fused_class(layer, whole=True) is expected
    fused = expected.from_config(layer.get_config())
    fused(keras.Input(shape))
    fused.set_weights(layer.get_weights())
    maps = np.random.default_rng(3).normal(0, 4, (7, *shape)).astype(np.float32)
    for computed, parent in zip(differentiate(fused, maps), differentiate(layer, maps), strict=True):
        assert np.abs(parent).max() > 1e-2
        np.testing.assert_allclose(computed, parent, rtol=1e-4, atol=1e-5 * np.abs(parent).max())


@pytest.mark.parametrize("values", [[-1e4, -100.0, -20.0, 0.0, 20.0, 100.0, 1e4]])
def test_swish_of_large_values_is_finite(values: list[float]) -> None:
    made, gradient = differentiate(FusedSwish("swish"), np.array([values], np.float32))
    assert np.isfinite([made, gradient]).all()
    np.testing.assert_array_equal(made, np.maximum(made, -0.3))


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (layers.Activation("relu"), (4, 3, 5)),
        (layers.Conv2D(6, 1), (2, 2, 5)),
        (layers.Conv2D(6, 3, padding="same"), (1, 1, 5)),
        (layers.DepthwiseConv2D(3, padding="same", use_bias=False), (6, 6, 3)),
        (layers.DepthwiseConv2D(5, padding="same", use_bias=False), (24, 24, 3)),
        (layers.DepthwiseConv2D(5, padding="same"), (6, 6, 3)),
        (layers.DepthwiseConv2D(5, padding="same", use_bias=False, activation="relu"), (6, 6, 3)),
        (layers.DepthwiseConv2D(5, padding="same", depth_multiplier=2, use_bias=False), (6, 6, 3)),
    ],
)
def test_other_layers_stay_keras_own(layer: layers.Layer, shape: tuple[int, ...]) -> None:
    layer(keras.Input(shape))
    assert fused_class(layer, whole=True) is type(layer)


def test_a_copy_of_efficientnet_is_made_of_them() -> None:
    model = build_model("efficientnetb1", 96, None, None, Heads(8, 8, 8)).full
    found = Counter(type(layer) for layer in clone_with_fused_ops(model, whole=True).layers)
    blocks = 23
    assert found[PixelConv2D] == 2 * blocks
    assert found[FusedSwish] == found[FusedBatchNormalization] - blocks
    # Of 5 x 5, on maps of 6 x 6 and 3 x 3.
    assert found[SmallMapDepthwiseConv2D] == 9
