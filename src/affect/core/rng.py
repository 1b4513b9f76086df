"""Random generators keyed by seed and item, independent of order and process count."""

import hashlib

import numpy as np


def hash_seed(seed: int, *key: str | int) -> int:
    """Return a 128-bit number fixed by `seed` and `key`, such as an image id and a copy number."""
    about = repr((seed, *key)).encode()
    return int.from_bytes(hashlib.blake2b(about, digest_size=16).digest(), "big")


def rng_for(seed: int, *key: str | int) -> np.random.Generator:
    """Return a generator fixed by `seed` and `key`."""
    return np.random.default_rng(hash_seed(seed, *key))
