"""params.yaml, checked as a whole by every stage, so that a mistake anywhere stops the first one that runs."""

from pathlib import Path
from reprlib import Repr
from typing import Annotated, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from ruamel.yaml import YAML

from affect.plumbing.errors import InputError

PARAMS_FILE = Path("params.yaml")
SPLITS_FOLDER = Path("data/splits")

Seed = Annotated[int, Field(ge=0)]
Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Fraction = Annotated[float, Field(ge=0, lt=1)]
LossWeight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Expressiveness = Annotated[float, Field(gt=0, le=2)]
Backbone = Literal["resnet50", "efficientnetb1", "efficientnetb2", "densenet121"]
BACKBONES: tuple[str, ...] = get_args(Backbone)


class Section(BaseModel):
    """A group of parameters; an unknown name or a value of another type is refused."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Sample(Section):
    """The drawn faces of data/sample."""

    seed: Seed
    images: Annotated[int, Field(ge=8)]
    size: Annotated[int, Field(ge=64, le=1024)]
    expressiveness: Expressiveness


class Data(Section):
    """Which images are used, at which size, and how they are split."""

    raw: Annotated[str, Field(min_length=1)]
    sample_size: Count | None
    image_size: Annotated[int, Field(ge=32, le=1024)]
    val_fraction: Annotated[float, Field(gt=0, lt=1)]
    test_fraction: Fraction
    split_file: str | None
    duplicate_distance: Annotated[int, Field(ge=0, le=255)]
    max_dropped: Share
    min_side: Count
    max_pixels: Count
    seed: Seed

    @field_validator("split_file")
    @classmethod
    def _where_dvc_sees_it(cls, split_file: str | None) -> str | None:
        if split_file is not None and not Path(split_file).resolve().is_relative_to(SPLITS_FOLDER.resolve()):
            raise ValueError(f"a file in {SPLITS_FOLDER}, the folder whose changes DVC notices")
        return split_file

    @field_validator("test_fraction")
    @classmethod
    def _leaves_training_images(cls, test_fraction: float, others: ValidationInfo) -> float:
        val_fraction = others.data.get("val_fraction", 0)
        if val_fraction + test_fraction >= 1:
            raise ValueError(f"less than 1 together with data.val_fraction ({val_fraction})")
        return test_fraction


class Augment(Section):
    """The altered copies of each training image."""

    copies: Annotated[int, Field(ge=0)]
    rotation: Annotated[float, Field(ge=0, le=180)]
    zoom: Fraction
    shift: Fraction
    flip: Share
    brightness: Share
    contrast: Share
    seed: Seed


class Model(Section):
    """The architecture and where its weights start."""

    weights: Annotated[str, Field(min_length=1)] | None
    fine_tune_layers: Annotated[int, Field(ge=0)]
    shared_units: Count
    emotion_units: Count
    affect_units: Count


class LossWeights(Section):
    """The weight of each task in the loss."""

    emotion: LossWeight
    valence: LossWeight
    arousal: LossWeight


class Train(Section):
    """The optimisation."""

    epochs: Count
    batch_size: Count
    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    early_stopping_patience: Count
    plateau_patience: Count
    plateau_factor: Annotated[float, Field(gt=0, lt=1)]
    precision: Literal["auto", "float32", "mixed_bfloat16"]
    cache_limit: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    class_weight: Literal["none", "balanced"]
    loss_weights: LossWeights
    seed: Seed


class Evaluate(Section):
    """The evaluation."""

    batch_size: Count
    bootstrap: Annotated[int, Field(ge=100)]
    calibration_bins: Annotated[int, Field(ge=2)]
    seed: Seed


class PretrainedNetwork(Section):
    """What differs between the two pretrained backbones."""

    epochs: Count
    learning_rate: Annotated[float, Field(gt=0, allow_inf_nan=False)]
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
    resnet50: PretrainedNetwork
    efficientnetb1: PretrainedNetwork


class Params(Section):
    """The whole of params.yaml."""

    backbones: Annotated[list[Backbone], Field(min_length=1)]
    sample: Sample
    data: Data
    augment: Augment
    model: Model
    train: Train
    evaluate: Evaluate
    pretrain: Pretrain

    @property
    def reported(self) -> dict:
        """The sections that the report shows; how faces and initial weights were made stands beside them."""
        return self.model_dump(exclude={"sample", "pretrain"})

    @field_validator("backbones")
    @classmethod
    def _each_once(cls, backbones: list[Backbone]) -> list[Backbone]:
        if len(set(backbones)) < len(backbones):
            raise ValueError("each backbone once")
        return backbones


def load_params(path: Path = PARAMS_FILE) -> Params:
    """Read and check the parameters.

    Raises InputError that names each parameter at fault, its value and what is allowed.
    """
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
        return Params.model_validate(content)
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
