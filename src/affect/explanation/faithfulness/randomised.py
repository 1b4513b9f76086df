"""Whether a map depends on what a network has learnt: the same network with its weights in disorder has another.

Source: Adebayo et al., Sanity checks for saliency maps (2018).
"""

import numpy as np
from scipy.stats import rankdata

from affect.core.rng import rng_for
from affect.models.backbones.initial_weights import set_weights
from affect.models.backend import keras


def shuffle_weights(model: keras.Model, seed: int) -> None:
    """Bring the values of each weight into a random order, in place; only how images are preprocessed stays."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization):
            continue
        values = [
            rng_for(seed, "shuffle", layer.name, place).permutation(value.ravel()).reshape(value.shape)
            for place, value in enumerate(layer.get_weights())
        ]
        set_weights(layer, values)


def correlate(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return (count,) Spearman's correlations over the places of two (count, rows, columns) sets of maps.

    NaN where a map is the same everywhere.
    """
    ranks = [rankdata(maps.reshape(len(maps), -1), axis=1) for maps in (first, second)]
    one, other = (each - each.mean(axis=1, keepdims=True) for each in ranks)
    spread = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        return (one * other).sum(axis=1) / spread
