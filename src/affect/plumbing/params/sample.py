"""params.yaml, section sample."""

from typing import Annotated

from pydantic import Field

from affect.plumbing.params.section import Expressiveness, Section, Seed


class Sample(Section):
    """The drawn faces of data/sample."""

    seed: Seed
    images: Annotated[int, Field(ge=8)]
    size: Annotated[int, Field(ge=64, le=1024)]
    expressiveness: Expressiveness
