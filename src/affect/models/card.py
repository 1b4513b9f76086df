"""What a trained model is: the records that it was trained on, and what it takes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from affect.core.labels import EXPRESSIONS
from affect.core.records import Card
from affect.plumbing import paths
from affect.plumbing.errors import InputError

# The digits of a hash that a person is shown.
SHOWN_DIGITS = 8
# Where an exported file has its card.
METADATA_KEY = "affect"


class TrainedOn(BaseModel):
    """The records that a model was trained on: their dataset, how many of its images, and the hashes of both folders.

    prepared, augmented: the hashes in the cards of data/prepared and data/augmented.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    dataset: str
    layout: str
    images: int
    prepared: str
    augmented: str


class StartedFrom(BaseModel):
    """The trained model that a training began with: its file, its MD5, and its dataset, if its card says which."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    file: str
    md5: str
    dataset: str | None


class ModelCard(BaseModel):
    """What the file of a model says of it.

    expressions: in the order of its probabilities. image_size: pixels a side. preprocessing: in words, what is done to
    an image before the model takes it. started_from: None where training began with the weights of a backbone, or at
    random.
    """

    model_config = ConfigDict(strict=True, frozen=True)

    trained_on: TrainedOn
    expressions: list[str]
    image_size: int
    preprocessing: str
    started_from: StartedFrom | None = None


class ExportCard(BaseModel):
    """What an exported file says of itself, as JSON under `METADATA_KEY` of its metadata.

    model: the card of the model that it was exported from, whose name and MD5 stand in source. parameters: all and
    those that were trained. metrics: of the run that evaluated this very model, None where that isn't known.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    source: dict[str, str]
    precision: str
    expressions: list[str]
    model: ModelCard | None
    parameters: dict[str, int | float]
    metrics: dict[str, Any] | None
    licence: str

    def size(self, file: Path) -> dict[str, int | float]:
        """Return the parameters of the model, and the megabytes (10^6) of the exported file or folder."""
        files = [file, *file.rglob("*")] if file.is_dir() else [file]
        size = sum(each.stat().st_size for each in files if each.is_file())
        return self.parameters | {"size_mb": round(size / 1e6, 1)}


def make_card(
    prepared: Card, augmented: Card, images: int, image_size: int, started_from: StartedFrom | None = None
) -> ModelCard:
    """Return the card of a model that is trained on these records, of so many images of the dataset.

    Raises InputError where the augmented images were not made of the prepared ones.
    """
    if augmented.made_of != prepared.hash:
        raise InputError(
            f"{paths.AUGMENTED} was not made of what {paths.PREPARED} holds; run `dvc repro`, or augment before train"
        )
    trained_on = TrainedOn(
        dataset=prepared.dataset,
        layout=prepared.layout,
        images=images,
        prepared=prepared.hash,
        augmented=augmented.hash,
    )
    return ModelCard(
        trained_on=trained_on,
        expressions=list(EXPRESSIONS),
        image_size=image_size,
        preprocessing=f"{describe_fitting(prepared, image_size)}, RGB 0-255; the rest is inside the model",
        started_from=started_from,
    )


def describe_fitting(records: Card, image_size: int) -> str:
    """Return in words how the images of records were brought to squares."""
    square = f"{image_size} x {image_size} pixels"
    if records.align == "eyes":
        return f"aligned by the eyes to {square}"
    return f"cut out by its box where the dataset has one, and letterboxed to {square}"


def parse_card(metadata: Mapping[str, Any], file: Path) -> ModelCard | None:
    """Return the card in the metadata of a model file; None where it is older than cards.

    Raises InputError for a damaged card, and for expressions that are not ours in our order.
    """
    if "trained_on" not in metadata:
        return None
    try:
        card = ModelCard.model_validate({name: metadata.get(name) for name in ModelCard.model_fields})
    except ValueError as error:
        raise InputError(f"{file}: its card is damaged ({' '.join(str(error).split())}); train it again") from None
    _require_expressions(card.expressions, file)
    return card


def parse_export_card(metadata: Mapping[str, str], file: Path) -> ExportCard:
    """Return the card in the metadata of an exported file. Raises InputError where there is none that can be read."""
    if METADATA_KEY not in metadata:
        raise InputError(f"{file}: not a model of this repository: it has no card; `python src/export.py` writes one")
    try:
        card = ExportCard.model_validate_json(metadata[METADATA_KEY])
    except ValueError as error:
        raise InputError(f"{file}: its card is damaged ({' '.join(str(error).split())}); export it again") from None
    _require_expressions(card.expressions, file)
    return card


def _require_expressions(expressions: Sequence[str], file: Path) -> None:
    if list(expressions) != list(EXPRESSIONS):
        raise InputError(f"{file}: predicts {', '.join(expressions)}, and not {', '.join(EXPRESSIONS)}")


def require_trained_on(file: Path, card: ModelCard | None, prepared: Card, augmented: Card) -> ModelCard:
    """Return the card of a model. Raises InputError where it was trained on other records than there are, or where its
    file does not say on which."""
    if card is None:
        raise InputError(f"{file} does not say what it was trained on; train it again with `dvc repro`")
    known = card.trained_on
    if (known.prepared, known.augmented) != (prepared.hash, augmented.hash):
        then, now = (
            ", ".join(hash[:SHOWN_DIGITS] for hash in hashes)
            for hashes in ((known.prepared, known.augmented), (prepared.hash, augmented.hash))
        )
        raise InputError(
            f"{file} was trained on {known.images} images of {known.dataset} (hashes {then}), but {paths.PREPARED} and "
            f"{paths.AUGMENTED} hold {prepared.dataset} (hashes {now}); `dvc repro` trains it on these, and "
            f"pipelines/external tests it on another dataset (docs/external.md)"
        )
    return card
