"""A network of fused layers to train, and one of constants to compute features."""
# ruff: noqa: PLC0415, on another backend TensorFlow is never imported

from collections.abc import Callable

import keras
import numpy as np
from keras import layers

from affect.models.backbones.initial_weights import set_weights
from affect.models.backend import ON_TENSORFLOW
from affect.models.kernels.fused_layers import fused_class


def clone_with_fused_ops(model: keras.Model, precision: str | None = None, whole: bool = False) -> keras.Model:
    """Copy a model for training, with fused layers and the same weights; they fit back by `set_weights`.

    `precision` is the Keras dtype policy of the layers that return maps (4-D), instead of their own; what follows
    them keeps its own. `whole`: all layers train, and not the topmost alone.
    """

    def copy_layer(layer: keras.Operation) -> keras.Operation:
        config = layer.get_config()
        # An operation that is no layer, such as ResNet50's flip to BGR, takes the type of what it is given.
        has_type = isinstance(layer, layers.Layer) and not isinstance(layer, layers.InputLayer)
        if precision and has_type and layer.output.ndim == 4:
            config["dtype"] = precision
        return (fused_class(layer, whole) if ON_TENSORFLOW else type(layer)).from_config(config)

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
