"""params.yaml, checked as a whole by every stage, so that a mistake anywhere stops the first one that runs."""

from pathlib import Path
from reprlib import Repr
from typing import Annotated, TypeVar

from pydantic import Field, ValidationError, field_validator
from ruamel.yaml import YAML

from affect.plumbing import paths
from affect.plumbing.errors import InputError
from affect.plumbing.params.augment import Augment
from affect.plumbing.params.data import Data, Dataset
from affect.plumbing.params.evaluate import Evaluate
from affect.plumbing.params.explain import Explain
from affect.plumbing.params.export import Exports
from affect.plumbing.params.external import External, ExternalDataset
from affect.plumbing.params.model import BACKBONES, Backbone, Model
from affect.plumbing.params.pretrain import Pretrain, PretrainedNetwork
from affect.plumbing.params.sample import Sample
from affect.plumbing.params.section import Section
from affect.plumbing.params.train import Train

__all__ = [
    "BACKBONES",
    "Augment",
    "Backbone",
    "Data",
    "Dataset",
    "Evaluate",
    "Explain",
    "Exports",
    "External",
    "ExternalDataset",
    "Model",
    "Params",
    "Pretrain",
    "PretrainedNetwork",
    "Sample",
    "Train",
    "load_explain",
    "load_exports",
    "load_external",
    "load_params",
    "load_pretrain",
]

Loaded = TypeVar("Loaded", bound=Section)


class Params(Section):
    """The whole of params.yaml."""

    backbones: Annotated[list[Backbone], Field(min_length=1)]
    sample: Sample
    data: Data
    augment: Augment
    model: Model
    train: Train
    evaluate: Evaluate

    @property
    def reported(self) -> dict:
        """The sections that the report shows; how faces were drawn stands beside them."""
        return self.model_dump(exclude={"sample"})

    @field_validator("backbones")
    @classmethod
    def _each_once(cls, backbones: list[Backbone]) -> list[Backbone]:
        if len(set(backbones)) < len(backbones):
            raise ValueError("each backbone once")
        return backbones


def load_params(path: Path = paths.PARAMS) -> Params:
    """Read and check the parameters of the experiment.

    Raises InputError that names each parameter at fault, its value and what is allowed.
    """
    return _load(path, Params)


def load_pretrain(path: Path = paths.PRETRAIN_PARAMS) -> Pretrain:
    """Read and check the parameters of `pretrain`, which no run of the experiment reads. Raises InputError likewise."""
    return _load(path, Pretrain)


def load_external(path: Path = paths.EXTERNAL_PARAMS) -> External:
    """Read and check the datasets on which the models are tested. Raises InputError likewise."""
    return _load(path, External)


def load_exports(path: Path = paths.EXPORT_PARAMS) -> Exports:
    """Read and check which networks are exported, and how. Raises InputError likewise."""
    return _load(path, Exports)


def load_explain(path: Path = paths.EXPLAIN_PARAMS) -> Explain:
    """Read and check which networks are explained, and how that is tested. Raises InputError likewise."""
    return _load(path, Explain)


def _load(path: Path, kind: type[Loaded]) -> Loaded:
    try:
        # YAML 1.2, as DVC reads it: PyYAML would take 5e-4 for a string.
        content = YAML(typ="safe", pure=True).load(path)
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); run from the repository's root") from None
    # Malformed text makes ruamel.yaml raise almost anything, down to RecursionError.
    except Exception as error:
        raise InputError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: holds no parameters")
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        faults = [_describe(fault["loc"], fault["type"], fault["msg"], fault["input"]) for fault in error.errors()]
        raise InputError(f"{path}: {'; '.join(faults)}") from None


def _describe(location: tuple[int | str, ...], kind: str, message: str, value: object) -> str:
    name = ".".join(str(part) if str(part).isprintable() else repr(part) for part in location)
    if kind == "missing":
        return f"{name} is missing"
    if kind == "extra_forbidden":
        return f"{name} is not a parameter (misspelt?)"
    _, should, allowed = message.partition(" should ")
    wanted = allowed if should else f"be {message.removeprefix('Value error, ')}"
    return f"{name} is {_shorten(value)}, but should {wanted}"


def _shorten(value: object, longest: int = 60) -> str:
    # A few lines of YAML whose lists refer to each other can stand for more than fits into memory.
    short = Repr()
    short.maxlevel, short.maxstring = 2, 2 * longest
    text = short.repr(value)
    return text if len(text) <= longest else f"{text[:longest]}..."
