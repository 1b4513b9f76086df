"""The frozen half's output for the stored images (their features), computed once and kept on disk while training runs.

A frozen half's output for a stored image never changes, so there is no need to compute it in every epoch.
"""

import math
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Sequence
from io import FileIO
from pathlib import Path

import keras
import numpy as np
from tqdm import tqdm

from affect.core.array_file import ArrayFile
from affect.models.backend import input_dtype
from affect.models.kernels import freeze_for_inference
from affect.models.multitask import SplitModel
from affect.plumbing.errors import InputError
from affect.training.distribution import ALONE, Ranks
from affect.training.input.examples import Array

# How the names end of files with features that several processes share.
SHARED = ".features.tmp"


def cache_features(
    model: SplitModel,
    images: Sequence[Array],
    batch_size: int,
    precision: str,
    limit: float,
    folder: Path,
    ranks: Ranks = ALONE,
) -> tuple[keras.Model, Sequence[Array]]:
    """Return the model to train and its inputs: the trainable half and the features of each part of the images.

    Where the features do not fit, or nothing is frozen, they are the full model and the images themselves.
    precision: the Keras dtype policy. limit: in GB. folder: where the features file is created; several processes, each
    of which computes its part of them, see the same one.
    """
    if model.frozen is None:
        return model.full, images
    dtype = input_dtype(precision)
    folder.mkdir(parents=True, exist_ok=True)
    obstacle = cache_obstacle(model.frozen, sum(map(len, images)), dtype, limit, folder)
    # Another rank may see more room, since the first is writing already.
    if ranks.agree(int(obstacle is not None)):
        if ranks.is_first:
            said = f"train: the frozen layers' output is not stored but computed in every step: {obstacle}"
            print(said, file=sys.stderr)
        return model.full, images
    features = [
        compute_features(model.frozen, part, batch_size, dtype, folder, ranks, model.full.name) for part in images
    ]
    return model.trainable, features


def cache_obstacle(frozen: keras.Model, n_images: int, dtype: np.dtype, limit: float, folder: Path) -> str | None:
    """Return why the features do not fit (over `limit` GB or the free disk space), or None if they do."""
    size = n_images * math.prod(frozen.output.shape[1:]) * dtype.itemsize / 1e9
    if size > limit:
        return f"it takes {size:.1f} GB, and train.cache_limit is {limit:g}"
    free = shutil.disk_usage(folder).free / 1e9
    return f"it takes {size:.1f} GB, and the disk of {folder} has {free:.1f} free" if size > free else None


def compute_features(
    frozen: keras.Model,
    images: Array,
    batch_size: int,
    dtype: np.dtype,
    folder: Path,
    ranks: Ranks = ALONE,
    network: str = "",
) -> ArrayFile:
    """Pass the images once through the frozen half; of several processes each passes every so manieth batch.

    The features lie in a file on the disk of `folder`. It has no name and is gone with the array or the process; that
    of several processes has one, after the network, until `remove_shared`.
    """
    compute, shape = freeze_for_inference(frozen), (len(images), *frozen.output.shape[1:])
    file = open_shared(folder, network, ranks)
    features = ArrayFile(file, shape, dtype)
    starts = range(ranks.rank * batch_size, len(images), ranks.ranks * batch_size)
    for start in tqdm(starts, desc="frozen layers", disable=None if ranks.is_first else True):
        features.write(start, compute(images[start : start + batch_size]))
    if ranks.ranks == 1:
        return features
    # Over a network only who opens a file after all have closed it is sure to see what they have written.
    file.close()
    ranks.wait("features are computed")
    return ArrayFile(Path(file.name).open("rb", buffering=0), shape, dtype)


def open_shared(folder: Path, network: str, ranks: Ranks) -> FileIO:
    """Open a new file that all ranks share. Raises InputError where a rank does not see that of rank 0."""
    if ranks.ranks == 1:
        return tempfile.TemporaryFile(dir=folder, buffering=0)
    name = folder / f"{network}.{ranks.agree(secrets.randbits(31)):08x}{SHARED}"
    if ranks.is_first:
        name.touch(exist_ok=False)
    ranks.wait("features are named")
    try:
        # Of a page into which two hosts write, NFS would send the one's zeros in place of the other's rows.
        return FileIO(name, "r+", opener=lambda path, flags: os.open(path, flags | os.O_DSYNC))
    except FileNotFoundError:
        raise InputError(f"{name}: rank {ranks.rank} does not see what rank 0 has made; share the folder") from None


def remove_shared(folder: Path, network: str) -> None:
    """Remove the shared files of a network's features, those of killed trainings too."""
    for file in folder.glob(f"{network}.*{SHARED}"):
        file.unlink(missing_ok=True)
