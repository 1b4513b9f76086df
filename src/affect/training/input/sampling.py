"""Which images an epoch shows, and how often."""

import numpy as np

from affect.core.rng import rng_for

# By which power of an expression's count its share of an epoch goes.
POWERS = {"natural": 1.0, "sqrt": 0.5, "balanced": 0.0}


def quotas(expressions: np.ndarray, sampling: str) -> dict[int, int]:
    """Return how many images of each expression an epoch shows; together as many as there are.

    sampling: natural (each image once), balanced (each expression as often), or sqrt (as the square root of its
    count, half-way between).
    """
    present, counts = np.unique(expressions, return_counts=True)
    shares = counts ** POWERS[sampling]
    exact = len(expressions) * shares / shares.sum()
    whole = np.floor(exact).astype(int)
    # The largest remainders get the rest, the first of equal ones.
    whole[np.argsort(whole - exact, kind="stable")[: len(expressions) - whole.sum()]] += 1
    return dict(zip(present.tolist(), whole.tolist(), strict=True))


def sample_epoch(expressions: np.ndarray, sampling: str, seed: int, epoch: int) -> np.ndarray:
    """Return the rows that an epoch shows, in its order, fixed by the seed and the epoch.

    Of each expression, every image comes as often as any other, or once more.
    """
    rng = rng_for(seed, "epoch", epoch)
    if sampling == "natural":
        return rng.permutation(len(expressions))
    rows = []
    for expression, quota in quotas(expressions, sampling).items():
        own = np.flatnonzero(expressions == expression)
        rounds, rest = divmod(quota, len(own))
        rows += [np.tile(own, rounds), rng.permutation(own)[:rest]]
    return rng.permutation(np.concatenate(rows))


def count_occurrences(rows: np.ndarray) -> np.ndarray:
    """Return, for each place of an order, how often its row has come before."""
    order = np.argsort(rows, kind="stable")
    ordered = rows[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    lengths = np.diff(np.r_[starts, len(rows)])
    occurrences = np.empty(len(rows), int)
    occurrences[order] = np.arange(len(rows)) - np.repeat(starts, lengths)
    return occurrences
