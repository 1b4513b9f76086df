"""The backbones: constructor, preprocessing, initial weights."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras
from keras import KerasTensor, layers, ops

from affect.plumbing.errors import InputError

IMAGENET = "imagenet"


@dataclass(frozen=True)
class Backbone:
    """A constructor of keras.applications, and the layers that bring RGB 0-255 to what it was made for."""

    construct: Callable[..., keras.Model]
    preprocess: Callable[[KerasTensor], KerasTensor]


def _subtract_bgr_means(rgb: KerasTensor) -> KerasTensor:
    """As keras.applications.resnet.preprocess_input: BGR less the means of ImageNet, not scaled."""
    bgr = ops.flip(rgb, axis=-1)
    return layers.Normalization(mean=(103.939, 116.779, 123.68), variance=(1.0, 1.0, 1.0), name="subtract_mean")(bgr)


def _standardise_rgb(rgb: KerasTensor) -> KerasTensor:
    """As keras.applications.densenet.preprocess_input: scaled to [0, 1], then standardised as ImageNet."""
    scaled = layers.Rescaling(1 / 255, name="scale")(rgb)
    variance = (0.229**2, 0.224**2, 0.225**2)
    return layers.Normalization(mean=(0.485, 0.456, 0.406), variance=variance, name="standardise")(scaled)


def _leave_to_backbone(rgb: KerasTensor) -> KerasTensor:
    """EfficientNet's own first layers take RGB 0-255."""
    return rgb


BACKBONES = {
    "resnet50": Backbone(keras.applications.ResNet50, _subtract_bgr_means),
    "efficientnetb1": Backbone(keras.applications.EfficientNetB1, _leave_to_backbone),
    "efficientnetb2": Backbone(keras.applications.EfficientNetB2, _leave_to_backbone),
    "densenet121": Backbone(keras.applications.DenseNet121, _standardise_rgb),
}


def build_backbone(name: str, rgb: KerasTensor, weights: str | None) -> keras.Model:
    """Build a backbone without its top on images of (size, size, 3) RGB 0-255.

    `weights` is "imagenet" (Keras downloads and checks them), a folder that holds {name}.weights.h5, or None for a
    random start. Raises InputError for an unknown name and where the weights can't be had: a start at random is
    never silent.
    """
    if name not in BACKBONES:
        raise InputError(f"backbones: {name!r} is not one of {', '.join(BACKBONES)}")
    backbone = BACKBONES[name]
    inputs = backbone.preprocess(rgb)
    if weights == IMAGENET:
        return _construct_with_imagenet(name, inputs)
    model = backbone.construct(include_top=False, weights=None, input_tensor=inputs)
    if weights is not None:
        _load_weights(keras.Model(inputs, model.output), Path(weights) / f"{name}.weights.h5")
    return model


def _construct_with_imagenet(name: str, inputs: KerasTensor) -> keras.Model:
    try:
        return BACKBONES[name].construct(include_top=False, weights=IMAGENET, input_tensor=inputs)
    # Keras raises a bare Exception for a failed download and a ValueError for a damaged file.
    except Exception as error:
        raise InputError(
            f"model.weights: the imagenet weights of {name} can't be had ({error}). Connect to the network once, or "
            f"set model.weights to a folder that holds {name}.weights.h5, or to null for a random start"
        ) from error


def _load_weights(model: keras.Model, file: Path) -> None:
    if not file.is_file():
        raise InputError(
            f"model.weights: {file} is missing; put it there (made by `backbone.save_weights`), "
            f"or set model.weights to imagenet, or to null for a random start"
        )
    try:
        model.load_weights(file)
    except (OSError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())
        raise InputError(f"model.weights: {file} does not hold the weights of this backbone: {reason}") from error
