"""params.yaml, section augment."""

from typing import Annotated

from pydantic import Field

from affect.plumbing.params.section import Fraction, Section, Seed, Share


class Augment(Section):
    """The altered copies of each training image."""

    copies: Annotated[int, Field(ge=0)]
    rotation: Annotated[float, Field(ge=0, le=180)]
    zoom: Fraction
    shift: Fraction
    flip: Share
    brightness: Share
    contrast: Share
    grey: Share
    erase: Share
    online: bool
    seed: Seed
