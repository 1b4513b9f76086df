"""Where a network with attention attends: its own weights, the same for every output."""

from collections.abc import Callable

import numpy as np

from affect.models.backend import keras

# The layer of attention pooling, whose output are the weights of the places (models/multitask.py).
POOLING = "attention"


def read_attention(model: keras.Model) -> Callable[[np.ndarray], np.ndarray] | None:
    """Return what gives the attention of images to places, (count, rows, columns) that add up to 1; None for a network
    without any.

    Self-attention is followed through its blocks, each half attention and half what passes by it, averaged over the
    heads (attention rollout: Abnar & Zuidema, Quantifying attention flow in transformers, 2020). The last map's places
    count by attention pooling where there is any, else each the same.
    """
    blocks = [layer for layer in model.layers if isinstance(layer, keras.layers.MultiHeadAttention)]
    pooling = [layer for layer in model.layers if layer.name == POOLING]
    if not blocks and not pooling:
        return None
    # What each block is given: its scores are computed from there, since Keras makes no model that returns them.
    given = [keras.tree.flatten(layer.input)[0] for layer in blocks]
    shape = given[-1].shape[1:3] if given else model.get_layer(f"{POOLING}_score").output.shape[1:3]
    reader = keras.Model(model.input, [*given, *(layer.output for layer in pooling)])

    def read(images: np.ndarray) -> np.ndarray:
        # Not by predict_on_batch, which compiles a model anew for a last batch of another size.
        found = [keras.ops.convert_to_numpy(each) for each in keras.tree.flatten(reader(images, training=False))]
        weights = found.pop() if pooling else np.full((len(images), np.prod(shape)), 1 / np.prod(shape), np.float32)
        for layer, tokens in zip(reversed(blocks), reversed(found), strict=True):
            _, scores = layer(tokens, tokens, return_attention_scores=True)
            weights = _pass_on(weights, keras.ops.convert_to_numpy(scores))
        return weights.reshape(-1, *shape)

    return read


def _pass_on(weights: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Return the weights, (count, places), of a block's input from those of its output."""
    places = weights.shape[1]
    attention = scores.mean(axis=1).reshape(-1, places, places)
    return weights / 2 + np.einsum("np,npq->nq", weights, attention) / 2
