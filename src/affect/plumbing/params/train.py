"""params.yaml, section train."""

from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from affect.plumbing.params.section import Count, Fraction, LearningRate, Section, Seed

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
    weight_decay: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    schedule: Literal["plateau", "cosine"]
    warm_up: Fraction
    early_stopping_patience: Count
    plateau_patience: Count
    plateau_factor: Annotated[float, Field(gt=0, lt=1)]
    backend: Literal["tensorflow", "jax"]
    precision: Literal["auto", "float32", "mixed_bfloat16"]
    cache_limit: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    weight_averaging: Fraction
    sampling: Literal["natural", "sqrt", "balanced"]
    class_weight: Literal["none", "balanced"]
    label_smoothing: Fraction
    mixup: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    cutmix: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    va_loss: Literal["mse", "ccc", "both"]
    loss_weights: LossWeights
    seed: Seed

    @field_validator("warm_up")
    @classmethod
    def _has_a_schedule(cls, warm_up: float, others: ValidationInfo) -> float:
        if warm_up and others.data.get("schedule") == "plateau":
            raise ValueError("0 where train.schedule is plateau; cosine has a warm-up")
        return warm_up

    @field_validator("mixup", "cutmix", "va_loss")
    @classmethod
    def _has_others_in_a_batch(cls, value: float | str, others: ValidationInfo) -> float | str:
        if others.data.get("batch_size") == 1 and value not in (0, "mse"):
            raise ValueError("of at least two images at a time, so not with a train.batch_size of 1")
        return value

    @field_validator("class_weight")
    @classmethod
    def _balances_once(cls, class_weight: str, others: ValidationInfo) -> str:
        sampling = others.data.get("sampling")
        if class_weight == "balanced" and sampling in ("sqrt", "balanced"):
            raise ValueError(f"none where train.sampling is {sampling}: the two would balance twice")
        return class_weight
