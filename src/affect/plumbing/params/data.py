"""params.yaml, section data."""

from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationInfo, field_validator

from affect.plumbing import paths
from affect.plumbing.params.section import Count, Fraction, Section, Seed, Share


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
        if split_file is not None and not Path(split_file).resolve().is_relative_to(paths.SPLITS.resolve()):
            raise ValueError(f"a file in {paths.SPLITS}, the folder whose changes DVC notices")
        return split_file

    @field_validator("test_fraction")
    @classmethod
    def _leaves_training_images(cls, test_fraction: float, others: ValidationInfo) -> float:
        val_fraction = others.data.get("val_fraction", 0)
        if val_fraction + test_fraction >= 1:
            raise ValueError(f"less than 1 together with data.val_fraction ({val_fraction})")
        return test_fraction
