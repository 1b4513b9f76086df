"""The shared layer's numbers of faces: laid out in a plane, and which faces are alike in them."""

from collections.abc import Iterable

import numpy as np
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import normalize

from affect.models.backend import keras

# The dense layer that all heads read (models/multitask.py).
SHARED = "shared"


def compute_features(model: keras.Model, batches: Iterable[np.ndarray]) -> np.ndarray:
    """Return the shared layer's output, (count, units) float32, for batches of images, each scaled to length 1.

    A few faces whose numbers are all large would be far from all others, and the plane one line to them.
    """
    reader = keras.Model(model.input, model.get_layer(SHARED).output)
    return normalize(np.concatenate([keras.ops.convert_to_numpy(reader(batch, training=False)) for batch in batches]))


def project(features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the two principal components of (count, units) features, (count, 2), and the share of their variance that
    each holds, (2,).

    A plane that is learnt step by step, as of t-SNE or UMAP, would be another one on another processor.
    """
    components = PCA(2, svd_solver="covariance_eigh")
    return components.fit_transform(features.astype(np.float64)), components.explained_variance_ratio_


def find_neighbours(features: np.ndarray, count: int) -> np.ndarray:
    """Return (faces, count) the places of the other faces whose features are nearest, the nearest first."""
    nearest = NearestNeighbors(n_neighbors=count + 1).fit(features).kneighbors(features, return_distance=False)
    # A face is its own nearest one, unless another has the very same features.
    return np.stack([row[row != place][:count] for place, row in enumerate(nearest)])
