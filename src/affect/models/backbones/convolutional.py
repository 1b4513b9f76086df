"""Networks of keras.applications, and the layers that bring RGB 0-255 to what each was made for."""

from collections.abc import Callable

import keras
from keras import KerasTensor, layers, ops

Construct = Callable[[KerasTensor, str | None], keras.Model]


def without_top(application: Callable[..., keras.Model]) -> Construct:
    """Return the constructor of a network of keras.applications without its classifier: its last map is the output."""

    def construct(inputs: KerasTensor, weights: str | None) -> keras.Model:
        return application(include_top=False, weights=weights, input_tensor=inputs)

    return construct


def subtract_bgr_means(rgb: KerasTensor) -> KerasTensor:
    """As keras.applications.resnet.preprocess_input: BGR less the means of ImageNet, not scaled."""
    bgr = ops.flip(rgb, axis=-1)
    return layers.Normalization(mean=(103.939, 116.779, 123.68), variance=(1.0, 1.0, 1.0), name="subtract_mean")(bgr)


def standardise_rgb(rgb: KerasTensor) -> KerasTensor:
    """As keras.applications.densenet.preprocess_input: scaled to [0, 1], then standardised as ImageNet."""
    scaled = layers.Rescaling(1 / 255, name="scale")(rgb)
    variance = (0.229**2, 0.224**2, 0.225**2)
    return layers.Normalization(mean=(0.485, 0.456, 0.406), variance=variance, name="standardise")(scaled)


def leave_to_backbone(rgb: KerasTensor) -> KerasTensor:
    """EfficientNet, EfficientNetV2 and MobileNetV3 take RGB 0-255: their own first layers scale it."""
    return rgb
