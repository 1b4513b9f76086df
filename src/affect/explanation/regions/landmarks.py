"""The landmarks of a dataset's faces, and where they lie in the squares that the networks take."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from affect.data.images.cropping import Box, map_to_aligned, map_to_square
from affect.data.images.reading import ImageLimits, UnusableImageError
from affect.data.layouts.item import Item, Layout
from affect.data.layouts.registry import LAYOUTS, open_layout
from affect.plumbing.params import Data


@dataclass(frozen=True)
class Landmarks:
    """The landmarks of a picture, and how its square was made.

    points: (68, 2) positions (x, y) in pixels of the picture, in the order of iBUG 300-W; whole numbers are the middles
    of pixels. box: what became the square; None where the eyes were aligned.
    """

    points: np.ndarray
    box: Box | None

    def map_to_square(self, points: np.ndarray, size: int) -> np.ndarray:
        """Return where (count, 2) points of the picture lie in the (size, size) square."""
        if self.box is None:
            return map_to_aligned(points, self.points, size)
        return map_to_square(points, self.box, size)


def read_landmarks(data: Data, ids: Collection[str]) -> dict[str, Landmarks]:
    """Return the landmarks of those images of a dataset that have them, by id.

    data: as `prepare` read it. Raises InputError where the dataset is not in its layout.
    """
    if "align" not in LAYOUTS[data.layout].reads:
        return {}
    layout = open_layout(data.model_copy(update={"align": "eyes"}))
    limits = ImageLimits(data.min_side, data.max_pixels)
    wanted = [item for item in layout.list_items() if item.id in ids]
    found = {item.id: _read(layout, item, limits, data.align == "eyes") for item in wanted}
    return {id: landmarks for id, landmarks in found.items() if landmarks is not None}


def _read(layout: Layout, item: Item, limits: ImageLimits, is_aligned: bool) -> Landmarks | None:
    try:
        labels = layout.read_labels(item)
        assert labels.landmarks is not None
        if is_aligned:
            return Landmarks(labels.landmarks, None)
        if labels.box is not None:
            return Landmarks(labels.landmarks, labels.box)
        height, width = layout.read_picture(item, limits).shape[:2]
        return Landmarks(labels.landmarks, Box(0, 0, width, height))
    # Without landmarks, or with damaged ones, an image is as good for everything else.
    except UnusableImageError:
        return None
