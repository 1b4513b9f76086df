"""Maps that know nothing of the network: what a method has to beat."""

from collections.abc import Sequence

import numpy as np

from affect.core.rng import rng_for

# Places as coarse as the gradients' maps; as coarse as attention, where that is coarser; and from the middle outwards.
RANDOM, RANDOM_ATTENTION, CENTRE = "random", "random_attention", "centre"
BASELINES = (RANDOM, RANDOM_ATTENTION, CENTRE)


def random_maps(shape: tuple[int, int], ids: Sequence[str], seed: int, draw: int = 0) -> np.ndarray:
    """Return (count, rows, columns) maps of random places, as coarse as a network's: finer ones would do more harm."""
    return np.stack([rng_for(seed, "random map", id, draw).random(shape, np.float32) for id in ids])


def centre_maps(shape: tuple[int, int], count: int) -> np.ndarray:
    """Return (count, rows, columns) maps that are highest in the middle, where the face is."""
    rows, columns = (np.abs(np.arange(length) - (length - 1) / 2) / length for length in shape)
    return np.repeat(-np.hypot(rows[:, None], columns)[None].astype(np.float32), count, axis=0)
