"""Every image of a dataset, checked and brought to one shape."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from affect.core.array_file import ArrayFile
from affect.data.affectnet import Annotation, Item, read_annotation, single_image
from affect.data.duplicates import HASHES, hash_image
from affect.data.images import UnusableImageError, letterbox, read_image
from affect.plumbing.parallel import parallel_map


@dataclass(frozen=True)
class ImageLimits:
    """What an image must be: at least `min_side` pixels a side, at most `max_pixels` pixels."""

    min_side: int
    max_pixels: int


@dataclass(frozen=True)
class Ingested:
    """The usable images of a dataset and what was dropped.

    faces: the columns id, expression, valence, arousal; its index is the item's position. hashes: (items,) of type
    affect.data.duplicates.HASHES, by that position. dropped: the columns id, reason, detail.
    """

    faces: pd.DataFrame
    hashes: np.ndarray
    dropped: pd.DataFrame


def ingest(raw: Path, items: Sequence[Item], limits: ImageLimits, images: ArrayFile, description: str) -> Ingested:
    """Read, check, pad and resize the items' images on all cores; `images` gets the usable ones, by position."""
    hashes = np.zeros(len(items), HASHES)
    faces: dict[int, tuple[str, int, float, float]] = {}
    dropped: list[tuple[str, str, str]] = []
    load = partial(_load, raw=raw, limits=limits, images=images)
    results = parallel_map(load, list(enumerate(items)), description)
    for position, (item, result) in enumerate(zip(items, results, strict=True)):
        if isinstance(result, UnusableImageError):
            dropped.append((item.id, result.reason, result.detail))
            continue
        label, hashes[position] = result
        faces[position] = (item.id, label.expression, label.valence, label.arousal)
    columns = ["id", "expression", "valence", "arousal"]
    return Ingested(
        pd.DataFrame.from_dict(faces, orient="index", columns=columns),
        hashes,
        pd.DataFrame(dropped, columns=["id", "reason", "detail"]),
    )


def _load(
    numbered: tuple[int, Item], raw: Path, limits: ImageLimits, images: ArrayFile
) -> tuple[Annotation, np.ndarray] | UnusableImageError:
    position, item = numbered
    try:
        file = raw / "images" / single_image(item)
        annotation = read_annotation(raw / "annotations", item.annotation_name)
        image = read_image(file, limits.min_side, limits.max_pixels)
    except UnusableImageError as error:
        return error
    images.write(position, letterbox(image, images.shape[1])[None])
    return annotation, hash_image(image)
