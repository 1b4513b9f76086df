"""params.yaml, section train."""

from typing import Annotated, Literal

from pydantic import Field

from affect.plumbing.params.section import Count, LearningRate, Section, Seed

LossWeight = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class LossWeights(Section):
    """The weight of each task in the loss."""

    emotion: LossWeight
    valence: LossWeight
    arousal: LossWeight


class Train(Section):
    """The optimisation."""

    epochs: Count
    batch_size: Count
    learning_rate: LearningRate
    early_stopping_patience: Count
    plateau_patience: Count
    plateau_factor: Annotated[float, Field(gt=0, lt=1)]
    precision: Literal["auto", "float32", "mixed_bfloat16"]
    cache_limit: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    class_weight: Literal["none", "balanced"]
    loss_weights: LossWeights
    seed: Seed
