"""The frozen half's output for the stored images (their features), computed once and kept on disk while training runs.

A frozen half's output for a stored image never changes, so there is no need to compute it in every epoch.
"""

import math
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from tqdm import tqdm

from affect.core.array_file import ArrayFile
from affect.models.backend import input_dtype
from affect.models.kernels import freeze_for_inference
from affect.models.multitask import SplitModel
from affect.training.input.examples import Array


def cache_features(
    model: SplitModel, images: Sequence[Array], batch_size: int, precision: str, limit: float, folder: Path
) -> tuple[keras.Model, Sequence[Array]]:
    """Return the model to train and its inputs: the trainable half and the features of each part of the images.

    Where the features do not fit, or nothing is frozen, they are the full model and the images themselves.
    precision: the Keras dtype policy. limit: in GB. folder: where the features file is created.
    """
    if model.frozen is None:
        return model.full, images
    dtype = input_dtype(precision)
    folder.mkdir(parents=True, exist_ok=True)
    if obstacle := cache_obstacle(model.frozen, sum(map(len, images)), dtype, limit, folder):
        print(f"train: the frozen layers' output is not stored but computed in every step: {obstacle}", file=sys.stderr)
        return model.full, images
    return model.trainable, [compute_features(model.frozen, part, batch_size, dtype, folder) for part in images]


def cache_obstacle(frozen: keras.Model, n_images: int, dtype: np.dtype, limit: float, folder: Path) -> str | None:
    """Return why the features do not fit (over `limit` GB or the free disk space), or None if they do."""
    size = n_images * math.prod(frozen.output.shape[1:]) * dtype.itemsize / 1e9
    if size > limit:
        return f"it takes {size:.1f} GB, and train.cache_limit is {limit:g}"
    free = shutil.disk_usage(folder).free / 1e9
    return f"it takes {size:.1f} GB, and the disk of {folder} has {free:.1f} free" if size > free else None


def compute_features(frozen: keras.Model, images: Array, batch_size: int, dtype: np.dtype, folder: Path) -> ArrayFile:
    """Pass the images once through the frozen half.

    The features lie in a file without a name on the disk of `folder`, gone with the array or the process.
    """
    compute = freeze_for_inference(frozen)
    file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115, it lives as long as the array
    features = ArrayFile(file, (len(images), *frozen.output.shape[1:]), dtype)
    for start in tqdm(range(0, len(images), batch_size), desc="frozen layers", disable=None):
        features.write(start, compute(images[start : start + batch_size]))
    return features
