"""Which images are the same picture: re-encoded, resized, slightly cropped, or mirrored."""

from collections.abc import Iterator
from functools import partial

import numpy as np
from scipy.fft import dctn
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from affect.core.array_file import ArrayFile
from affect.core.opencv import cv2
from affect.plumbing.parallel import parallel_map

HASH_SIDE = 16
HASHED_SIDE = 4 * HASH_SIDE
PAIRS_PER_BLOCK = 1 << 21
IMAGES_PER_BLOCK = 64

# Pictures behind one mask or in one frame have similar hashes. Where corners are of one colour, or a group is large,
# the middles must be similar as well. Chosen on 614 photographs behind an oval, in wide margins, and
# both: of the pairs of different ones 2,196 have hashes within 48 bits, and middles that differ in 74 bits and more.
MIDDLE = 0.6
MIDDLE_DISTANCE = 4 / 3
TRIMMED_SIDE = 3 * HASHED_SIDE
CORNER_SIDE = 6
FLAT = 8
# A picture has few copies on the web; a larger group is the frames of a clip, or different faces that look alike.
LARGE_GROUP = 10

_WORDS = (np.uint64, HASH_SIDE * HASH_SIDE // 64)
HASHES = np.dtype(
    [*((name, *_WORDS) for name in ("whole", "middle", "mirrored_whole", "mirrored_middle")), ("bordered", bool)]
)


def hash_image(image: np.ndarray) -> np.ndarray:
    """Return the hashes of an RGB image, a scalar of type HASHES.

    They are the 256-bit pHash of the whole image and of the middle of what is left when margins of one colour are cut
    off, each also of the mirror image; `bordered` says that corners of the image are of one colour.
    """
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    whole, middle = (_shrink(part, HASHED_SIDE) for part in (grey, _cut_middle(_trim(grey))))
    frequencies = [_lowest_frequencies(part) for part in (whole, middle)]
    # Mirroring an image changes the sign of every second of its horizontal cosine frequencies.
    mirrored = [lowest * (-1.0) ** np.arange(HASH_SIDE) for lowest in frequencies]
    hashes = (_signs(lowest) for lowest in frequencies + mirrored)
    return np.array((*hashes, _is_bordered(whole)), HASHES)


def group_duplicates(hashes: np.ndarray, distance: int) -> np.ndarray:
    """Group images that are one picture or its mirror image, directly or through others.

    hashes: (images,) of type HASHES. distance: of 256 bits, how many may differ. Returns (images,) int: for each image
    the position of its group's first.
    """
    first = _connect(hashes, distance)
    for group in np.flatnonzero(np.bincount(first) > LARGE_GROUP):
        members = np.flatnonzero(first == group)
        doubted = hashes[members]
        doubted["bordered"] = True
        first[members] = members[_connect(doubted, distance)]
    return first


def hash_images(images: ArrayFile, description: str) -> np.ndarray:
    """Return the hashes, (images,) of type HASHES, of prepared images on all cores."""
    starts = range(0, len(images), IMAGES_PER_BLOCK)
    blocks = parallel_map(partial(_hash_block, images=images), starts, description)
    return np.concatenate([np.zeros(0, HASHES), *blocks])


def find_copies(hashes: np.ndarray, known: np.ndarray, distance: int) -> np.ndarray:
    """Find images that are copies, or mirrored copies, of known ones, directly or through others.

    hashes: (images,), known: (others,), both of type HASHES and of images of one size. Returns (images,) int: for each
    image the first known one that it is a copy of, or -1.
    """
    first = group_duplicates(np.concatenate([known, hashes]), distance)[len(known) :]
    return np.where(first < len(known), first, -1)


def _hash_block(start: int, images: ArrayFile) -> np.ndarray:
    return np.array([hash_image(image) for image in images[start : start + IMAGES_PER_BLOCK]], HASHES)


def _connect(hashes: np.ndarray, distance: int) -> np.ndarray:
    """Return each position's group, as the position of its first."""
    first = np.arange(len(hashes))
    waiting: list[np.ndarray] = []
    for pairs in _close_pairs(hashes, distance):
        waiting.append(pairs)
        if sum(map(len, waiting)) > PAIRS_PER_BLOCK:
            first, waiting = _join_groups(first, waiting), []
    return _join_groups(first, waiting)


def _join_groups(first: np.ndarray, pairs: list[np.ndarray]) -> np.ndarray:
    """Return each position's group, as the position of its first, after joining the groups of the pairs."""
    edges = np.concatenate([np.stack([np.arange(len(first)), first], axis=1), *pairs])
    graph = coo_array((np.ones(len(edges), dtype=bool), (edges[:, 0], edges[:, 1])), shape=(len(first), len(first)))
    _, labels = connected_components(graph, directed=False)
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return first[inverse]


def _close_pairs(hashes: np.ndarray, distance: int) -> Iterator[np.ndarray]:
    """Yield (pairs, 2) positions i, j > i of one picture; memory stays bounded however many images there are."""
    rows_at_once = max(1, PAIRS_PER_BLOCK // max(len(hashes), 1))
    whole, middle, bordered = np.ascontiguousarray(hashes["whole"]), hashes["middle"], hashes["bordered"]
    sides = [(np.ascontiguousarray(hashes[f"{side}whole"]), hashes[f"{side}middle"]) for side in ("", "mirrored_")]
    for start in range(0, len(hashes), rows_at_once):
        block = slice(start, start + rows_at_once)
        for other_whole, other_middle in sides:
            rows, columns = start + np.array(
                np.nonzero(_differing_bits(whole[block, None], other_whole[start:]) <= distance)
            )
            later = columns > rows
            rows, columns = rows[later], columns[later]
            alike = _differing_bits(middle[rows], other_middle[columns]) <= MIDDLE_DISTANCE * distance
            same = alike | ~(bordered[rows] | bordered[columns])
            yield np.stack([rows[same], columns[same]], axis=1)


def _differing_bits(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    total = np.zeros(np.broadcast_shapes(first.shape, second.shape)[:-1], dtype=np.uint16)
    for word in range(first.shape[-1]):
        total += np.bitwise_count(first[..., word] ^ second[..., word])
    return total


def _shrink(grey: np.ndarray, side: int) -> np.ndarray:
    # OpenCV's area averaging is several times faster than Pillow's resampling of the whole photograph.
    return cv2.resize(grey, (side, side), interpolation=cv2.INTER_AREA)


def _lowest_frequencies(grey: np.ndarray) -> np.ndarray:
    """Source: Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions (2010), section 3.2."""
    return dctn(grey.astype(np.float64))[:HASH_SIDE, :HASH_SIDE]


def _signs(lowest: np.ndarray) -> np.ndarray:
    return np.packbits(lowest > np.median(lowest)).view(np.uint64)


def _trim(grey: np.ndarray) -> np.ndarray:
    """Cut off margins of one colour, whatever noise is in them."""
    # At one size, so that copies of another size are cut alike.
    grey = _shrink(grey, TRIMMED_SIDE)
    faintest = max(FLAT, 0.15 * float(np.ptp(grey)))
    for _ in range(2):
        lines = np.flatnonzero(np.ptp(grey, axis=1) > faintest)
        if len(lines) > FLAT:
            grey = grey[lines[0] : lines[-1] + 1]
        grey = grey.T
    return grey


def _cut_middle(grey: np.ndarray) -> np.ndarray:
    top, left = (int(length * (1 - MIDDLE) / 2) for length in grey.shape)
    return grey[top : grey.shape[0] - top, left : grey.shape[1] - left]


def _is_bordered(grey: np.ndarray) -> bool:
    """Whether two or more corners are of one colour."""
    ends = (slice(CORNER_SIDE), slice(-CORNER_SIDE, None))
    flat = [np.ptp(grey[rows, columns]) <= FLAT for rows in ends for columns in ends]
    return sum(flat) >= 2
