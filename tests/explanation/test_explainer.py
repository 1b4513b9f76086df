"""Maps add up to what they explain, on whichever backend Keras runs, and attention is the network's own."""

from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from affect.explanation import Explainer, open_explainer
from affect.models.backend import set_up
from affect.models.multitask import Heads, build_model
from affect.plumbing.errors import InputError

SIZE = 32
IMAGES = np.random.default_rng(3).integers(0, 256, (5, SIZE, SIZE, 3), np.uint8)
LAYER = "maps"
TASKS = ("emotion", "valence", "arousal")


def build_linear(pooling: type[layers.Layer] = layers.GlobalAveragePooling2D) -> keras.Model:
    """A network that is linear above the layer LAYER, beside which paths pass further down."""
    set_up(5)
    image = keras.Input((SIZE, SIZE, 3))
    first = layers.Conv2D(6, 5, 4, padding="same", activation="relu", name="first")(layers.Rescaling(1 / 255)(image))
    second = layers.Conv2D(6, 3, padding="same", activation="relu", name="second")(first)
    maps = layers.Add(name=LAYER)([first, second])
    pooled = pooling()(maps)
    outputs = {"emotion": layers.Dense(8, "softmax", bias_initializer="normal", name="emotion")(pooled)}
    outputs |= {task: layers.Dense(1, "tanh", bias_initializer="normal", name=task)(pooled) for task in TASKS[1:]}
    return keras.Model(image, outputs)


def logits(model: keras.Model, outputs: dict[str, np.ndarray], task: str) -> np.ndarray:
    """What the last layer gives before its softmax, up to a constant for each image, or before its tanh."""
    return np.log(outputs[task]) if task == "emotion" else np.arctanh(outputs[task])


def test_the_maps_of_a_linear_network_add_up_to_its_logits() -> None:
    """Each place's value is what it adds: without the biases the sum is the logit (Draelos & Carin 2020)."""
    model = build_linear()
    explanation = Explainer(model, LAYER).explain(IMAGES)
    for task in TASKS:
        bias = np.asarray(model.get_layer(task).bias)
        for method in ("hirescam", "gradcam"):
            maps = explanation.maps[method][task]
            assert maps.shape == (5, 8, 8)
            total = maps.sum(axis=(1, 2))
            if task == "emotion":
                # Of two classes, since a softmax hides what all have in common.
                other = (explanation.expressions + 1) % 8
                opposed = Explainer(model, LAYER).explain(IMAGES, other)
                logit = logits(model, explanation.outputs, task)
                rows = np.arange(5)
                between = logit[rows, explanation.expressions] - logit[rows, other]
                constant = bias[explanation.expressions] - bias[other]
                total = total - opposed.maps[method][task].sum(axis=(1, 2))
                np.testing.assert_allclose(total, between - constant, atol=1e-4)
            else:
                np.testing.assert_allclose(total, logits(model, explanation.outputs, task)[:, 0] - bias[0], atol=1e-4)


def test_where_the_gradient_differs_between_places_grad_cam_smears() -> None:
    """Of a maximum only one place counts for each channel: HiResCAM marks these places alone, Grad-CAM others too."""
    explanation = Explainer(build_linear(layers.GlobalMaxPooling2D), LAYER).explain(IMAGES)
    marked = {method: np.count_nonzero(maps["emotion"], axis=(1, 2)) for method, maps in explanation.maps.items()}
    assert marked["hirescam"].max() <= 6
    assert marked["gradcam"].min() > 30


def test_the_outputs_are_the_network_s_and_the_predicted_expression_is_explained() -> None:
    model = build_linear()
    explanation = Explainer(model, LAYER).explain(IMAGES)
    for task, values in model.predict_on_batch(IMAGES).items():
        np.testing.assert_allclose(explanation.outputs[task], values, atol=1e-6)
    assert explanation.expressions.tolist() == explanation.outputs["emotion"].argmax(axis=1).tolist()
    named = Explainer(model, LAYER).explain(IMAGES, np.full(5, 3))
    assert named.expressions.tolist() == [3] * 5
    assert not np.allclose(named.maps["hirescam"]["emotion"], explanation.maps["hirescam"]["emotion"])
    assert named.maps["hirescam"]["valence"].tobytes() == explanation.maps["hirescam"]["valence"].tobytes()


@pytest.mark.parametrize(
    ("layer", "reason"),
    [
        ("nowhere", "no such layer"),
        ("second", "paths pass beside it"),
        ("emotion", "is no map"),
        (None, "name the layer"),
    ],
)
def test_a_layer_that_explains_nothing_is_refused(layer: str | None, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        Explainer(build_linear(), layer)


def test_an_exported_file_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"explain a \.keras file"):
        open_explainer(tmp_path / "face.onnx")


def test_attention_pooling_is_shown_as_it_is() -> None:
    model = build_model("hybrid", SIZE, None, None, Heads(8, 8, 8, "attention")).full
    model.get_layer("attention_score").kernel.assign(np.random.default_rng(1).normal(0, 3, (1, 1, 256, 1)))
    # All scores of a block are the same then.
    for layer in model.layers:
        if isinstance(layer, layers.MultiHeadAttention):
            layer.set_weights([0 * values for values in layer.get_weights()])
    pooled = keras.Model(model.input, model.get_layer("attention").output).predict_on_batch(IMAGES)
    explainer = Explainer(model)
    assert explainer.methods == ["hirescam", "gradcam", "attention"]
    attention = explainer.explain(IMAGES).maps["attention"]["emotion"]
    assert attention.shape == (5, 2, 2)
    np.testing.assert_allclose(attention.sum(axis=(1, 2)), 1, atol=1e-5)
    # Each of five blocks spreads half of what it is given over all places.
    np.testing.assert_allclose(attention.reshape(5, 4), pooled / 32 + (1 - 1 / 32) / 4, atol=1e-5)
