"""data/pretrain.yaml."""

from typing import Annotated, Literal

from pydantic import Field

from affect.plumbing import paths
from affect.plumbing.errors import InputError
from affect.plumbing.params.model import Backbone
from affect.plumbing.params.section import Count, Expressiveness, Fraction, LearningRate, Section, Seed, Share


class PretrainedNetwork(Section):
    """What differs between the backbones."""

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
    networks: dict[Backbone, PretrainedNetwork]

    def find(self, backbone: str) -> PretrainedNetwork:
        """Return what is a backbone's own. Raises InputError where there is no such backbone."""
        for name, network in self.networks.items():
            if name == backbone:
                return network
        raise InputError(f"{paths.PRETRAIN_PARAMS}: networks has no {backbone!r}, but {', '.join(self.networks)}")

    def recipe(self, backbone: str) -> dict[str, object]:
        """Return all parameters of a backbone's pretraining: those of all backbones and its own."""
        return self.model_dump(exclude={"networks"}) | self.find(backbone).model_dump()
