"""Every image of a dataset, checked and brought to one shape."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from affect.dataset import Annotation, Entry, UnusableImageError, read_annotation, single_image
from affect.duplicates import HASH_WORDS, perceptual_hash
from affect.files import scratch_array
from affect.images import read_image, standardise
from affect.parallel import parallel_map


@dataclass(frozen=True)
class ImageLimits:
    """What an image must be: at least `min_side` pixels a side, at most `max_pixels` pixels."""

    min_side: int
    max_pixels: int


@dataclass(frozen=True)
class Ingested:
    """The usable images of a dataset and what was dropped.

    images: (usable, size, size, 3) uint8 RGB on disk. faces: one row for each, with the columns id, expression,
    valence, arousal. hashes: (usable, words) uint64. dropped: the columns id, reason, detail.
    """

    images: np.ndarray
    faces: pd.DataFrame
    hashes: np.ndarray
    dropped: pd.DataFrame


@dataclass(frozen=True)
class _Face:
    annotation: Annotation
    image: np.ndarray
    hash: np.ndarray


def ingest(
    raw: Path, entries: Sequence[Entry], size: int, limits: ImageLimits, scratch: Path, description: str
) -> Ingested:
    """Read, check, pad and resize the entries' images over all cores; the pixels go to the `scratch` folder's disk."""
    images = scratch_array((len(entries), size, size, 3), np.uint8, scratch)
    hashes = np.empty((len(entries), HASH_WORDS), dtype=np.uint64)
    faces: list[tuple[str, int, float, float]] = []
    dropped: list[tuple[str, str, str]] = []
    load = partial(_load, annotations=raw / "annotations", size=size, limits=limits)
    for entry, result in zip(entries, parallel_map(load, entries, description), strict=True):
        if isinstance(result, UnusableImageError):
            dropped.append((entry.id, result.reason, result.detail))
            continue
        images[len(faces)] = result.image
        hashes[len(faces)] = result.hash
        label = result.annotation
        faces.append((entry.id, label.expression, label.valence, label.arousal))
    return Ingested(
        images[: len(faces)],
        pd.DataFrame(faces, columns=["id", "expression", "valence", "arousal"]),
        hashes[: len(faces)],
        pd.DataFrame(dropped, columns=["id", "reason", "detail"]),
    )


def _load(entry: Entry, annotations: Path, size: int, limits: ImageLimits) -> _Face | UnusableImageError:
    try:
        file = single_image(entry)
        annotation = read_annotation(annotations, entry.id)
        image = read_image(file, limits.min_side, limits.max_pixels)
    except UnusableImageError as error:
        return error
    return _Face(annotation, standardise(image, size), perceptual_hash(image))
