"""data/pretrain.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from affect.plumbing.params.section import Count, Expressiveness, Fraction, LearningRate, Section, Seed, Share


class PretrainedNetwork(Section):
    """What differs between the two pretrained backbones."""

    epochs: Count
    learning_rate: LearningRate
    precision: Literal["float32", "mixed_bfloat16", "mixed_float16"]


class Pretrain(Section):
    """How data/weights is made."""

    seed: Seed
    expressiveness: Expressiveness
    image_size: Annotated[int, Field(ge=64, le=1024)]
    batch_size: Annotated[int, Field(ge=8)]
    epoch_steps: Count
    val_steps: Count
    warm_up: Share
    weight_decay: Fraction
    batch_norm_momentum: Fraction
    resnet50: PretrainedNetwork
    efficientnetb1: PretrainedNetwork
