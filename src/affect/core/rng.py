"""Random draws that depend on a seed and on what they are about, never on order or process count."""

import hashlib

import numpy as np


def digest(seed: int, *about: str | int) -> int:
    """Return a 128-bit number that is fixed by `seed` and by what the draw is `about`, such as an image id."""
    key = repr((seed, *about)).encode()
    return int.from_bytes(hashlib.blake2b(key, digest_size=16).digest(), "big")


def generator(seed: int, *about: str | int) -> np.random.Generator:
    """Return a generator that is fixed by `seed` and by what the draws are `about`."""
    return np.random.default_rng(digest(seed, *about))
