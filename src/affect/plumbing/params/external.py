"""pipelines/external/params.yaml: the datasets on which the models are tested that they were not trained on."""

from typing import Annotated, Any

from pydantic import Field, model_validator

from affect.plumbing import paths
from affect.plumbing.errors import InputError
from affect.plumbing.params.data import Dataset, Reading
from affect.plumbing.params.section import Count, Section, Seed

# It names folders, stages of DVC and places of a page.
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]


class Defaults(Reading):
    """How each dataset is read that does not say otherwise."""

    sample_size: Count | None
    seed: Seed


class ExternalDataset(Dataset, Defaults):
    """A dataset, and how many of its images are used."""


class External(Section):
    """The datasets by name; what one does not say is as the defaults say."""

    defaults: Defaults
    datasets: dict[Name, ExternalDataset]

    def find(self, name: str) -> ExternalDataset:
        """Return a dataset by its name. Raises InputError where there is none of it."""
        if name not in self.datasets:
            known = ", ".join(self.datasets) or "none"
            raise InputError(f"{paths.EXTERNAL_PARAMS}: datasets has no {name!r}, but {known} (docs/external.md)")
        return self.datasets[name]

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, content: Any) -> Any:
        defaults, datasets = content.get("defaults"), content.get("datasets")
        if not isinstance(defaults, dict) or not isinstance(datasets, dict):
            return content
        filled = {name: defaults | own if isinstance(own, dict) else own for name, own in datasets.items()}
        return content | {"datasets": filled}
