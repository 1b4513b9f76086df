"""Which images are the same picture, re-encoded, resized or slightly cropped."""

from collections.abc import Iterator

import cv2
import numpy as np
from scipy.fft import dctn
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

HASH_SIDE = 16
HASH_WORDS = HASH_SIDE * HASH_SIDE // 64
HASHED_SIDE = 4 * HASH_SIDE
PAIRS_AT_ONCE = 1 << 22


def perceptual_hash(image: np.ndarray) -> np.ndarray:
    """Return the 256-bit pHash of an RGB image as four uint64: the signs of its lowest cosine frequencies.

    Source: Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions (2010), section 3.2.
    """
    # OpenCV's area averaging is several times faster than Pillow's resampling of the whole photograph.
    grey = cv2.resize(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (HASHED_SIDE, HASHED_SIDE), interpolation=cv2.INTER_AREA)
    lowest = dctn(grey.astype(np.float64))[:HASH_SIDE, :HASH_SIDE]
    return np.packbits(lowest > np.median(lowest)).view(np.uint64)


def group_duplicates(hashes: np.ndarray, distance: int) -> np.ndarray:
    """Group images whose hashes differ in at most `distance` bits, directly or through others.

    `hashes` is (images, words) uint64. Returns (images,) int: for each image the position of its group's first.
    """
    count = len(hashes)
    pairs = np.array(list(_close_pairs(hashes, distance)), dtype=np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(pairs), dtype=bool), (pairs[:, 0], pairs[:, 1])), shape=(count, count))
    _, labels = connected_components(graph, directed=False)
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return first[inverse]


def _close_pairs(hashes: np.ndarray, distance: int) -> Iterator[tuple[int, int]]:
    """Yield each pair (i, j > i) within the distance; memory stays bounded however many images there are."""
    count, words = hashes.shape
    rows_at_once = max(1, PAIRS_AT_ONCE // max(count, 1))
    for start in range(0, count, rows_at_once):
        block = hashes[start : start + rows_at_once]
        differing = np.zeros((len(block), count - start), dtype=np.uint16)
        for word in range(words):
            differing += np.bitwise_count(block[:, word, None] ^ hashes[None, start:, word])
        rows, columns = np.nonzero(differing <= distance)
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True):
            if column > row:
                yield start + row, start + column
