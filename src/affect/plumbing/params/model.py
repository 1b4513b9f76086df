"""params.yaml, section model, and the backbones that can be named."""

import shlex
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import Field, field_validator

from affect.plumbing import paths
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


# Files to start from; DVC sees changes of those beside the embedded weights.
FILES = (".keras", ".h5")


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

    @field_validator("fine_tune_layers", mode="before")
    @classmethod
    def _is_a_number_or_all(cls, layers: object) -> object:
        if layers != "all" and (isinstance(layers, bool) or not isinstance(layers, int) or layers < 0):
            raise ValueError("a number of layers from 0, or all")
        return layers

    @field_validator("weights")
    @classmethod
    def _lies_where_dvc_sees_it(cls, weights: str | None) -> str | None:
        if weights is None or not weights.endswith(FILES):
            return weights
        file = Path(weights)
        place = file.resolve().parent
        if place.parent == paths.WEIGHTS.resolve() and place.name in BACKBONES:
            return weights
        name, _, _ = file.name.partition(".")
        # Keras reads a .h5 of another name as one of older versions.
        ending = ".keras" if file.suffix == ".keras" else ".weights.h5"
        target = paths.WEIGHTS / (name if name in BACKBONES else "NAME") / f"start{ending}"
        raise ValueError(
            f"a file in {paths.WEIGHTS}/NAME, whose changes DVC notices and which training doesn't empty, with the "
            f"network's NAME; copy it, `cp {shlex.quote(weights)} {target}`, and name that"
        )
