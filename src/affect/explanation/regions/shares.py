"""How much of a map lies on each part of a picture."""

import numpy as np

from affect.explanation.regions.division import REGIONS


def weigh_evidence(maps: np.ndarray, task: str) -> np.ndarray:
    """Return what of signed maps counts as looked at: what speaks for an expression, and for valence and arousal what
    speaks either way."""
    return np.maximum(maps, 0) if task == "emotion" else np.abs(maps)


def share_on_regions(evidence: np.ndarray, regions: np.ndarray) -> np.ndarray:
    """Return (count, 8) the share of (count, size, size) evidence on each of REGIONS; NaN where there is none at all.

    regions: as `divide` returns them, for each image.
    """
    return np.stack([share_on(evidence, regions == place) for place in range(len(REGIONS))], axis=1)


def share_on(evidence: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return (count,) the share of (count, size, size) evidence on a mask of each image; NaN where there is none."""
    total = evidence.sum(axis=(1, 2), dtype=np.float64)
    with np.errstate(invalid="ignore"):
        return (evidence * mask).sum(axis=(1, 2), dtype=np.float64) / total


def hits(evidence: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """Return (count,) whether the place of the most evidence lies on a mask of each image.

    Source: the pointing game of Zhang et al., Top-down neural attention by excitation backprop (2016).
    """
    places = evidence.reshape(len(evidence), -1).argmax(axis=1)
    return mask.reshape(len(mask), -1)[np.arange(len(mask)), places]
