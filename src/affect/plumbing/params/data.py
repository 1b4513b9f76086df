"""params.yaml, section data: a dataset, and what is made of it."""

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator

from affect.plumbing import paths
from affect.plumbing.params.section import Count, Fraction, Section, Seed, Share

# The columns of a table, by our names.
TABLE_COLUMNS = ("path", "expression", "valence", "arousal", "person", "split", "box", "id")


class Reading(Section):
    """How a dataset is read, and which of its images are usable."""

    layout: Literal["affectnet", "affectnet_csv", "folders", "table", "fer2013"]
    table: Annotated[str, Field(min_length=1)] | None
    columns: list[str] | None
    classes: list[str] | None
    va_range: Annotated[list[float], Field(min_length=2, max_length=2)]
    votes: Literal["majority", "soft"] | None
    person: Annotated[int | str, Field(union_mode="left_to_right")] | None
    align: Literal["none", "eyes"]
    max_dropped: Share
    min_side: Count
    max_pixels: Count

    @property
    def column_map(self) -> dict[str, str]:
        """The table's own columns by our names."""
        return dict(_split_entry(entry) for entry in self.columns or ())

    @property
    def va_bounds(self) -> tuple[float, float]:
        """The lowest and the highest valence and arousal."""
        low, high = self.va_range
        return low, high

    @field_validator("columns")
    @classmethod
    def _known(cls, columns: list[str] | None) -> list[str] | None:
        for entry in columns or ():
            ours, theirs = _split_entry(entry)
            if ours not in TABLE_COLUMNS or not theirs:
                raise ValueError(f"a list of entries OURS:THEIRS, such as path:file, with {', '.join(TABLE_COLUMNS)}")
        return columns

    @field_validator("va_range")
    @classmethod
    def _ascends(cls, va_range: list[float]) -> list[float]:
        if not va_range[0] < va_range[1]:
            raise ValueError("the lowest value and then the highest")
        return va_range

    @field_validator("person", mode="before")
    @classmethod
    def _is_a_level_or_a_text(cls, person: object) -> object:
        if isinstance(person, bool) or not isinstance(person, int | str | None):
            raise ValueError("a folder's level, a regular expression, or null")
        return person

    @field_validator("person")
    @classmethod
    def _finds_a_person(cls, person: int | str | None) -> int | str | None:
        if isinstance(person, str):
            try:
                re.compile(person)
            except re.error as error:
                raise ValueError(f"a regular expression ({error}), a folder's level, or null") from None
        elif person is not None and person == 0:
            raise ValueError("a folder's level from 1, or from -1 for the folder of the picture itself")
        return person


class Dataset(Reading):
    """A dataset as it lies on disk."""

    raw: Annotated[str, Field(min_length=1)]


class Data(Dataset):
    """Which dataset is read, which of its images are used, at which size, and how they are split."""

    sample_size: Count | None
    train_fraction: Annotated[float, Field(gt=0, le=1)]
    image_size: Annotated[int, Field(ge=32, le=1024)]
    val_fraction: Annotated[float, Field(gt=0, lt=1)]
    test_fraction: Fraction
    official_split: bool
    split_file: str | None
    folds: Annotated[int, Field(ge=2)] | None
    fold: Annotated[int, Field(ge=1)]
    duplicate_distance: Annotated[int, Field(ge=0, le=255)]
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

    @field_validator("folds")
    @classmethod
    def _alone(cls, folds: int | None, others: ValidationInfo) -> int | None:
        if folds is not None and others.data.get("split_file") is not None:
            raise ValueError("null where data.split_file says the split")
        return folds

    @field_validator("fold")
    @classmethod
    def _one_of_them(cls, fold: int, others: ValidationInfo) -> int:
        folds = others.data.get("folds")
        if folds is not None and fold > folds:
            raise ValueError(f"at most data.folds ({folds})")
        return fold


def _split_entry(entry: str) -> tuple[str, str]:
    ours, _, theirs = entry.partition(":")
    return ours.strip(), theirs.strip()
