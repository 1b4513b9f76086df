"""What each place of a layer's map adds to each output, by the gradients of whichever backend Keras runs on."""
# ruff: noqa: PLC0415, of the backends only one is there

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from keras import ops

from affect.core.labels import TASKS
from affect.models.backend import keras
from affect.plumbing.errors import InputError

# By task: the outputs of a model.
Outputs = dict[str, np.ndarray]
# By method and task: (count, rows, columns) float32.
Maps = dict[str, dict[str, np.ndarray]]

# From (count, size, size, 3) images and the explained expressions, -1 for the predicted one, to the outputs, those
# expressions and the maps.
Weigh = Callable[[np.ndarray, np.ndarray], tuple[Outputs, np.ndarray, Maps]]

_LOGIT = "_logit"


def weigh_places(model: keras.Model, layer: str) -> Weigh:
    """Return what weighs the places of a layer's map, for a batch of images.

    Weighed are the logit of an expression, and valence and arousal before their tanh. Raises InputError where the model
    has no such layer, or one beside which other paths pass.
    """
    upper = _cut_above(model, layer)
    lower = keras.Model(model.input, model.get_layer(layer).output)
    compute = {"tensorflow": _compute_on_tensorflow, "jax": _compute_on_jax}.get(keras.backend.backend())
    if compute is None:
        raise InputError(f"explanations need Keras on tensorflow or jax, not on {keras.backend.backend()}")
    return compute(lower, upper)


def _cut_above(model: keras.Model, layer: str) -> keras.Model:
    """Return the part of a model that follows a layer, with the logit of each task beside its output."""
    if layer not in {each.name for each in model.layers}:
        raise InputError(f"{model.name} can't be explained at {layer!r}: it has no such layer")
    maps, outputs = model.get_layer(layer).output, dict(model.output)
    if getattr(maps, "ndim", 0) != 4:
        raise InputError(
            f"{model.name} can't be explained at {layer!r}: its output is no map (rows, columns, channels)"
        )
    try:
        for task in [task for task in TASKS if task in outputs]:
            head = model.get_layer(task)
            logit = keras.layers.Dense(head.units, name=f"{task}{_LOGIT}")
            outputs[f"{task}{_LOGIT}"] = logit(head.input)
            logit.set_weights(head.get_weights())
    except (ValueError, AttributeError) as error:
        raise InputError(f"{model.name}: not a model of this repository: no dense layer gives its {task}") from error
    try:
        return keras.Model(maps, outputs)
    except ValueError as error:
        raise InputError(
            f"{model.name} can't be explained at {layer!r}: paths pass beside it, as in a block; name the block's end"
        ) from error


def _choose(outputs: Mapping[str, Any], expressions: Any) -> Any:
    return ops.where(expressions < 0, ops.cast(ops.argmax(outputs["emotion"], axis=-1), "int32"), expressions)


def _add_up(outputs: Mapping[str, Any], expressions: Any) -> dict[str, Any]:
    """Return, by task, the sum over a batch of what is explained; no image's map depends on another's."""
    chosen = ops.one_hot(_choose(outputs, expressions), outputs["emotion"].shape[-1])
    logits = {task: outputs[f"{task}{_LOGIT}"] for task in TASKS if task in outputs}
    return {task: ops.sum(logit * chosen if task == "emotion" else logit) for task, logit in logits.items()}


def _weigh(maps: Any, gradients: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the signed map of each method and task.

    HiResCAM: activation times gradient, summed over the channels (Draelos & Carin, Use HiResCAM instead of Grad-CAM for
    faithful explanations, 2020). Grad-CAM: the same with the gradient's mean over all places, here with its sign
    (Selvaraju et al., Grad-CAM, 2017).
    """
    averaged = {task: ops.mean(gradient, axis=(1, 2), keepdims=True) for task, gradient in gradients.items()}
    return {
        "hirescam": {task: ops.sum(maps * gradient, axis=-1) for task, gradient in gradients.items()},
        "gradcam": {task: ops.sum(maps * gradient, axis=-1) for task, gradient in averaged.items()},
    }


def _compute_on_tensorflow(lower: keras.Model, upper: keras.Model) -> Weigh:
    import tensorflow as tf

    signature = [tf.TensorSpec(lower.input.shape, tf.float32), tf.TensorSpec((None,), tf.int32)]

    @tf.function(input_signature=signature)
    def compute(images: tf.Tensor, expressions: tf.Tensor) -> tuple:
        maps = lower(images, training=False)
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(maps)
            outputs = upper(maps, training=False)
            sums = _add_up(outputs, expressions)
        gradients = {task: tape.gradient(value, maps) for task, value in sums.items()}
        return _without_logits(outputs), _choose(outputs, expressions), _weigh(maps, gradients)

    def weigh(images: np.ndarray, expressions: np.ndarray) -> tuple:
        found = compute(tf.constant(images, tf.float32), tf.constant(expressions, tf.int32))
        return tf.nest.map_structure(lambda each: each.numpy(), found)

    return weigh


def _compute_on_jax(lower: keras.Model, upper: keras.Model) -> Weigh:
    import jax

    def state(model: keras.Model) -> list[list]:
        return [[each.value for each in kind] for kind in (model.trainable_variables, model.non_trainable_variables)]

    @jax.jit
    def compute(images: jax.Array, expressions: jax.Array) -> tuple:
        maps, _ = lower.stateless_call(*state(lower), images, training=False)

        def run(maps: jax.Array) -> tuple:
            outputs, _ = upper.stateless_call(*state(upper), maps, training=False)
            return _add_up(outputs, expressions), outputs

        sums, pull_back, outputs = jax.vjp(run, maps, has_aux=True)
        ones = {task: {name: 1.0 * (name == task) + 0 * value for name, value in sums.items()} for task in sums}
        gradients = {task: pull_back(one)[0] for task, one in ones.items()}
        return _without_logits(outputs), _choose(outputs, expressions), _weigh(maps, gradients)

    return lambda images, expressions: jax.tree.map(np.asarray, compute(images.astype(np.float32), expressions))


def _without_logits(outputs: Mapping[str, Any]) -> dict[str, Any]:
    return {task: value for task, value in outputs.items() if not task.endswith(_LOGIT)}
