"""Every image of a dataset, checked and brought to one shape."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from affect.core.array_file import ArrayFile
from affect.core.labels import VOTES
from affect.data.attributes import tabulate
from affect.data.images.cropping import align_eyes, crop_square, letterbox
from affect.data.images.reading import ImageLimits, UnusableImageError
from affect.data.layouts.item import Item, Labels, Layout
from affect.data.splitting.duplicates import HASHES, hash_image
from affect.plumbing.parallel import parallel_map


@dataclass(frozen=True)
class Ingested:
    """The usable images of a dataset and what was dropped.

    faces: the columns id, expression, valence, arousal, person, those of VOTES where the dataset has votes, and what
    `tabulate` adds; its index is the item's position. hashes: (items,) of type
    affect.data.splitting.duplicates.HASHES, by that position. dropped: the columns id, reason, detail.
    """

    faces: pd.DataFrame
    hashes: np.ndarray
    dropped: pd.DataFrame


def ingest(layout: Layout, items: Sequence[Item], limits: ImageLimits, images: ArrayFile, description: str) -> Ingested:
    """Read, check, crop and resize the items' images on all cores; `images` gets the usable ones, by position."""
    hashes = np.zeros(len(items), HASHES)
    labels: dict[int, Labels] = {}
    dropped: list[tuple[str, str, str]] = []
    load = partial(_load, layout=layout, limits=limits, images=images)
    results = parallel_map(load, list(enumerate(items)), description)
    for position, (item, result) in enumerate(zip(items, results, strict=True)):
        if isinstance(result, UnusableImageError):
            dropped.append((item.id, result.reason, result.detail))
            continue
        labels[position], hashes[position] = result
    return Ingested(tabulate_labels(items, labels), hashes, pd.DataFrame(dropped, columns=["id", "reason", "detail"]))


def tabulate_labels(items: Sequence[Item], labels: dict[int, Labels]) -> pd.DataFrame:
    """Return the labels of items by their positions as a table, with the further columns of the items."""
    rows = {
        position: (items[position].id, found.expression, found.valence, found.arousal)
        for position, found in labels.items()
    }
    table = pd.DataFrame.from_dict(rows, orient="index", columns=["id", "expression", "valence", "arousal"])
    if any(found.votes for found in labels.values()):
        table[VOTES] = np.array([found.votes for found in labels.values()])
    return table.join(tabulate(items))


def make_square(image: np.ndarray, labels: Labels, size: int) -> np.ndarray:
    """Return a face as the (size, size, 3) array that the networks take: aligned, cut out, or the whole image.

    Raises UnusableImageError where the labels' landmarks or box don't allow it.
    """
    try:
        if labels.landmarks is not None:
            return align_eyes(image, labels.landmarks, size)
        return letterbox(image, size) if labels.box is None else crop_square(image, labels.box, size)
    except ValueError as error:
        raise UnusableImageError("face_outside", str(error)) from None


def _load(
    numbered: tuple[int, Item], layout: Layout, limits: ImageLimits, images: ArrayFile
) -> tuple[Labels, np.ndarray] | UnusableImageError:
    position, item = numbered
    try:
        labels = layout.read_labels(item)
        image = layout.read_picture(item, limits)
        square = make_square(image, labels, images.shape[1])
    except UnusableImageError as error:
        return error
    images.write(position, square[None])
    # A picture of several people is not one picture: its faces are told apart by what is cut out.
    return labels, hash_image(image if labels.box is None else square)
