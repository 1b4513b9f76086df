"""What the sections of params.yaml share: strictness and the ranges of values."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

# Keras takes no larger one.
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
LearningRate = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Expressiveness = Annotated[float, Field(gt=0, le=2)]


class Section(BaseModel):
    """A group of parameters; an unknown name or a value of another type is refused."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
