"""The registry: what this repository has to know of each backbone."""

from collections.abc import Callable
from dataclasses import dataclass

import keras
from keras import KerasTensor, applications

from affect.models.backbones.convolutional import (
    Construct,
    leave_to_backbone,
    standardise_rgb,
    subtract_bgr_means,
    without_top,
)
from affect.models.backbones.transformer import (
    PATCH,
    POSITION_EMBEDDING,
    hybrid,
    scale_to_unit_range,
    vision_transformer,
)


@dataclass(frozen=True)
class Backbone:
    """A network without its top, from images of RGB 0-255 to its last map (rows, columns, channels).

    construct: from preprocessed images, and the weights ("imagenet" or None), to the model. preprocess: from RGB 0-255
    to what it was made for. explained_layer: from whose output, a map through which all paths pass, explanations take
    their gradients. faster_in_bfloat16: whether its training step is, on a processor that has it in hardware.
    has_imagenet: whether Keras can download its weights. size_multiple: images have a side that is a multiple of it.
    has_position_embedding: whether some of its weights belong to one size of images.
    """

    construct: Construct
    preprocess: Callable[[KerasTensor], KerasTensor]
    explained_layer: str
    faster_in_bfloat16: bool = False
    has_imagenet: bool = True
    size_multiple: int = 1
    has_position_embedding: bool = False


def _application(
    application: Callable[..., keras.Model],
    explained_layer: str,
    preprocess: Callable[[KerasTensor], KerasTensor] = leave_to_backbone,
    faster_in_bfloat16: bool = False,
) -> Backbone:
    return Backbone(without_top(application), preprocess, explained_layer, faster_in_bfloat16)


# bfloat16 was measured with `make bench`: dense convolutions gain, depthwise ones lose. Layers to explain are the last
# of an eighth of the image's side, where a map tells an eye from a brow.
BACKBONES = {
    "resnet50": _application(applications.ResNet50, "conv3_block4_out", subtract_bgr_means, faster_in_bfloat16=True),
    "efficientnetb1": _application(applications.EfficientNetB1, "block4a_expand_activation"),
    "efficientnetb2": _application(applications.EfficientNetB2, "block4a_expand_activation"),
    "densenet121": _application(applications.DenseNet121, "pool3_relu", standardise_rgb, faster_in_bfloat16=True),
    "efficientnetv2b0": _application(applications.EfficientNetV2B0, "block4a_expand_activation"),
    "mobilenetv3large": _application(applications.MobileNetV3Large, "expanded_conv_5_add"),
    "vit": Backbone(
        vision_transformer,
        scale_to_unit_range,
        POSITION_EMBEDDING,
        has_imagenet=False,
        size_multiple=PATCH,
        has_position_embedding=True,
    ),
    "hybrid": Backbone(hybrid, scale_to_unit_range, "stage2_out", has_imagenet=False),
}
