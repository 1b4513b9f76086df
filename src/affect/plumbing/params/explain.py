"""pipelines/explain/params.yaml: the networks whose maps are studied, and on how many images."""

from typing import Annotated

from pydantic import Field

from affect.plumbing import paths
from affect.plumbing.errors import InputError
from affect.plumbing.params.model import Backbone
from affect.plumbing.params.section import Section, Seed


class Explain(Section):
    """How the maps of each network are tested."""

    networks: list[Backbone]
    images: Annotated[int, Field(ge=8)]
    # What deleting a fifth takes away is read from the curves.
    steps: Annotated[int, Field(ge=5, multiple_of=5)]
    seed: Seed

    def require(self, network: str) -> None:
        """Raise InputError where a network is not among those asked for."""
        if network not in self.networks:
            asked = ", ".join(self.networks) or "nothing"
            raise InputError(f"{paths.EXPLAIN_PARAMS}: networks has no {network!r}, but {asked} (docs/explain.md)")
