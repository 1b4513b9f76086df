"""Fused operations are Keras's, and a network trained with them is one of Keras's own layers again."""

import keras
import numpy as np
import pytest
from keras import layers

from affect.models.kernels import FusedAdam, clone_with_fused_ops, freeze_for_inference
from affect.models.multitask import Heads, build_model

IMAGES = np.random.default_rng(1).normal(2, 3, (16, 8, 8, 4)).astype(np.float32)


def test_fused_adam_and_its_average_are_those_of_keras() -> None:
    gradients = np.random.default_rng(2).normal(size=(5, 3, 4)).astype(np.float32)
    results = []
    for kind in (FusedAdam, keras.optimizers.Adam):
        optimizer = kind(0.01, use_ema=True, ema_momentum=0.8)
        weights = keras.Variable(np.ones((3, 4), np.float32))
        for gradient in gradients:
            optimizer.apply([keras.ops.convert_to_tensor(gradient)], [weights])
        trained = weights.numpy()
        optimizer.finalize_variable_values([weights])
        results.append((trained, weights.numpy()))
    (trained, average), keras_own = results
    assert np.abs(trained - 1).min() > 1e-3
    assert np.abs(trained - average).min() > 1e-4
    np.testing.assert_allclose((trained, average), keras_own, rtol=1e-6)


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_a_copy_computes_the_same_and_its_weights_fit_back(precision: str) -> None:
    inputs = keras.Input((8, 8, 4))
    standardise = layers.Normalization()
    standardise.adapt(IMAGES)
    maps = layers.BatchNormalization()(layers.Conv2D(6, 3)(standardise(inputs)))
    frozen = layers.BatchNormalization(trainable=False)(maps)
    model = keras.Model(inputs, {"emotion": layers.Dense(3, name="emotion")(layers.GlobalAveragePooling2D()(frozen))})
    copy = clone_with_fused_ops(model, precision)
    expected = model.predict_on_batch(IMAGES)["emotion"]
    tolerance = 1e-5 if precision == "float32" else 0.05
    computed = copy.predict_on_batch(IMAGES)["emotion"]
    assert computed.dtype == np.float32
    np.testing.assert_allclose(computed, expected, atol=tolerance)
    assert [layer.trainable for layer in copy.layers] == [layer.trainable for layer in model.layers]
    for weight in copy.trainable_variables:
        weight.assign_add(keras.ops.ones_like(weight))
    model.set_weights(copy.get_weights())
    expected, computed = (each.predict_on_batch(IMAGES)["emotion"] for each in (model, copy))
    np.testing.assert_allclose(computed, expected, atol=tolerance * np.abs(expected).max())
    assert {type(layer).__module__.partition(".")[0] for layer in model.layers} == {"keras"}


@pytest.mark.parametrize("backbone", ["resnet50", "efficientnetb1"])
def test_constant_inference_is_the_frozen_half(backbone: str) -> None:
    keras.utils.set_random_seed(3)
    frozen = build_model(backbone, 64, None, 50, Heads(8, 8, 8)).frozen
    assert frozen is not None
    images = np.random.default_rng(4).integers(0, 256, (3, 64, 64, 3), np.uint8)
    for norm in (layer for layer in frozen.layers if isinstance(layer, layers.BatchNormalization)):
        norm.gamma.assign(np.random.default_rng(5).uniform(0.5, 1.5, norm.gamma.shape))
        norm.moving_mean.assign(np.random.default_rng(6).normal(0, 0.1, norm.gamma.shape))
    computed, expected = freeze_for_inference(frozen)(images), frozen.predict_on_batch(images)
    assert expected.std() > 0
    np.testing.assert_allclose(computed, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
    assert freeze_for_inference(frozen)(images[:1]).shape == (1, *expected.shape[1:])
