"""Mixtures of the images of a batch: mixup (Zhang et al. 2018) and CutMix (Yun et al. 2019)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

Labels = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Mixing:
    """How images are mixed: each parameter is that of the symmetric Beta distribution of the share, 0 for never.

    Where both are set, a fair coin decides for each batch.
    """

    mixup: float = 0.0
    cutmix: float = 0.0


def mix(
    images: np.ndarray, targets: Labels, weights: Labels, mixing: Mixing, rng: np.random.Generator
) -> tuple[np.ndarray, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Mix each image of a batch, (count, size, size, 3), with another of it, and their labels by the same share.

    Targets are (count, 8) or (count, 1). The mixed target and weight are such that the loss of the cross-entropy is
    the mean of both labels' losses, and that what is not annotated does not count.
    """
    cut = mixing.cutmix > 0 and (mixing.mixup == 0 or rng.random() < 0.5)
    alpha = mixing.cutmix if cut else mixing.mixup
    share, partner = rng.beta(alpha, alpha), rng.permutation(len(images))
    if cut:
        mixed, share = _paste(images, images[partner], share, rng)
    else:
        mixed = _blend(images.astype(np.float32), images[partner].astype(np.float32), share)
    mixed_targets, mixed_weights = {}, {}
    for task, target in targets.items():
        weight = _blend(weights[task], weights[task][partner], share)
        total = _blend(weights[task][:, None] * target, (weights[task][:, None] * target)[partner], share)
        mixed_targets[task] = np.divide(total, weight[:, None], out=np.zeros_like(total), where=weight[:, None] > 0)
        mixed_weights[task] = weight
    return mixed.astype(np.float32), mixed_targets, mixed_weights


def _blend(first: np.ndarray, second: np.ndarray, share: float) -> np.ndarray:
    return np.float32(share) * first + np.float32(1 - share) * second


def _paste(images: np.ndarray, others: np.ndarray, share: float, rng: np.random.Generator) -> tuple[np.ndarray, float]:
    """Paste a rectangle of the others, of about 1 - share of the area; return too what share of each image is left."""
    size = images.shape[1]
    side = size * np.sqrt(1 - share)
    centre = rng.uniform(0, size, 2)
    (top, left), (bottom, right) = (
        np.clip(np.rint(centre + offset), 0, size).astype(int) for offset in (-side / 2, side / 2)
    )
    pasted = images.copy()
    pasted[:, top:bottom, left:right] = others[:, top:bottom, left:right]
    return pasted, 1 - (bottom - top) * (right - left) / size**2
