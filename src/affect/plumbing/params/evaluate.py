"""params.yaml, section evaluate."""

from typing import Annotated

from pydantic import Field

from affect.plumbing.params.section import Count, Section, Seed


class Evaluate(Section):
    """The evaluation."""

    batch_size: Count
    mirror: bool
    bootstrap: Annotated[int, Field(ge=100)]
    calibration_bins: Annotated[int, Field(ge=2)]
    seed: Seed
