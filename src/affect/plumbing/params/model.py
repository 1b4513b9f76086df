"""params.yaml, section model, and the backbones that can be named."""

from typing import Annotated, Literal, get_args

from pydantic import Field

from affect.plumbing.params.section import Count, Fraction, Section

Backbone = Literal[
    "resnet50",
    "efficientnetb1",
    "efficientnetb2",
    "densenet121",
    "efficientnetv2b0",
    "mobilenetv3large",
    "vit",
    "hybrid",
]
BACKBONES: tuple[str, ...] = get_args(Backbone)


class Model(Section):
    """The architecture and where its weights start."""

    weights: Annotated[str, Field(min_length=1)] | None
    pooling: Literal["average", "attention"]
    fine_tune_layers: Annotated[int, Field(ge=0)] | Literal["all"]
    freeze_batch_norm: bool
    dropout: Fraction
    shared_units: Count
    emotion_units: Count
    va_units: Count
