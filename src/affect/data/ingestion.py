"""Every image of a dataset, checked and brought to one shape."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from affect.core.array_file import Rows
from affect.data.affectnet import Annotation, Entry, UnusableImageError, read_annotation, single_image
from affect.data.duplicates import HASHES, hash_image
from affect.data.images import read_image, standardise
from affect.plumbing.parallel import parallel_map


@dataclass(frozen=True)
class ImageLimits:
    """What an image must be: at least `min_side` pixels a side, at most `max_pixels` pixels."""

    min_side: int
    max_pixels: int


@dataclass(frozen=True)
class Ingested:
    """The usable images of a dataset and what was dropped.

    faces: the columns id, expression, valence, arousal; its index is the entry's position. hashes: (entries,) of type
    affect.data.duplicates.HASHES, by that position. dropped: the columns id, reason, detail.
    """

    faces: pd.DataFrame
    hashes: np.ndarray
    dropped: pd.DataFrame


def ingest(raw: Path, entries: Sequence[Entry], limits: ImageLimits, images: Rows, description: str) -> Ingested:
    """Read, check, pad and resize the entries' images over all cores; `images` gets the usable ones, by position."""
    hashes = np.zeros(len(entries), HASHES)
    faces: dict[int, tuple[str, int, float, float]] = {}
    dropped: list[tuple[str, str, str]] = []
    load = partial(_load, raw=raw, limits=limits, images=images)
    results = parallel_map(load, list(enumerate(entries)), description)
    for position, (entry, result) in enumerate(zip(entries, results, strict=True)):
        if isinstance(result, UnusableImageError):
            dropped.append((entry.id, result.reason, result.detail))
            continue
        label, hashes[position] = result
        faces[position] = (entry.id, label.expression, label.valence, label.arousal)
    columns = ["id", "expression", "valence", "arousal"]
    return Ingested(
        pd.DataFrame.from_dict(faces, orient="index", columns=columns),
        hashes,
        pd.DataFrame(dropped, columns=["id", "reason", "detail"]),
    )


def _load(
    numbered: tuple[int, Entry], raw: Path, limits: ImageLimits, images: Rows
) -> tuple[Annotation, np.ndarray] | UnusableImageError:
    position, entry = numbered
    try:
        file = raw / "images" / single_image(entry)
        annotation = read_annotation(raw / "annotations", (*entry.annotations, entry.id)[0])
        image = read_image(file, limits.min_side, limits.max_pixels)
    except UnusableImageError as error:
        return error
    images.write(position, standardise(image, images.shape[1])[None])
    return annotation, hash_image(image)
