"""Build a backbone with its initial weights."""

from pathlib import Path

import keras
from keras import KerasTensor

from affect.models.backbones.initial_weights import load_weights
from affect.models.backbones.registry import BACKBONES
from affect.plumbing import paths
from affect.plumbing.errors import InputError

IMAGENET = "imagenet"


def build_backbone(name: str, rgb: KerasTensor, weights: str | None) -> keras.Model:
    """Build a backbone without its top on images of (size, size, 3) RGB 0-255; its output is a map.

    `weights` is "imagenet" (Keras downloads and checks them), a folder that holds {name}/backbone.weights.h5, such a
    file, or None for a random start. Raises InputError for an unknown name, for a size that the backbone can't take,
    and where the weights can't be had: a start at random is never silent.
    """
    if name not in BACKBONES:
        raise InputError(f"backbones: {name!r} is not one of {', '.join(BACKBONES)}")
    backbone = BACKBONES[name]
    size = rgb.shape[1]
    if size % backbone.size_multiple:
        raise InputError(
            f"data.image_size is {size}, but {name} takes multiples of {backbone.size_multiple}, such as "
            f"{max(1, round(size / backbone.size_multiple)) * backbone.size_multiple}"
        )
    inputs = backbone.preprocess(rgb)
    if weights == IMAGENET:
        return _construct_with_imagenet(name, inputs)
    model = backbone.construct(inputs, None)
    if weights is not None:
        given = Path(weights)
        file = given if given.suffix == ".h5" else paths.weights_file(given, name)
        load_weights(backbone, keras.Model(inputs, model.output), file)
    return model


def _construct_with_imagenet(name: str, inputs: KerasTensor) -> keras.Model:
    ways_out = (
        f"set model.weights to a folder that holds {paths.weights_file(Path(), name)}, or to null for a random start"
    )
    if not BACKBONES[name].has_imagenet:
        raise InputError(f"model.weights: there are no imagenet weights of {name}; {ways_out}")
    try:
        return BACKBONES[name].construct(inputs, IMAGENET)
    # Keras raises a bare Exception for a failed download and a ValueError for a damaged file.
    except Exception as error:
        raise InputError(
            f"model.weights: the imagenet weights of {name} can't be had ({error}). Connect to the network once, or "
            f"{ways_out}"
        ) from error
