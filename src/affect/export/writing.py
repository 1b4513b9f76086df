"""Write a trained model in a format and precision, and compare it with the model before it is there."""

import sys
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from affect.core.labels import EXPRESSIONS, VALENCE_AROUSAL
from affect.core.records import Records, read_card, read_records
from affect.evaluation.comparison import MAX_LOSS
from affect.evaluation.results import evaluate_predictions
from affect.export.formats import FLOAT32, INT8, Format
from affect.export.judging import TOLERANCE, choose_images, difference, write_closest
from affect.models.card import ExportCard
from affect.models.predictors import KerasPredictor, Predictor, predict_records
from affect.plumbing import paths
from affect.plumbing.errors import InputError

LICENCE = "MIT for the code; the weights also have the terms of the images that they were trained on"
BATCH = 64


def describe(original: KerasPredictor, precision: str, metrics: dict[str, Any] | None) -> ExportCard:
    """Return what an exported file says of itself. metrics: of the model, None where they are not known."""
    size = original.size()
    return ExportCard(
        source={"file": original.file.name, "md5": paths.file_md5(original.file)},
        precision=precision,
        expressions=list(EXPRESSIONS),
        model=original.card,
        parameters={name: size[name] for name in ("parameters", "trainable_parameters")},
        metrics=metrics,
        licence=LICENCE,
    )


def write_export(original: KerasPredictor, chosen: Format, card: ExportCard, file: Path) -> str:
    """Write a model to a file in the precision of its card; return in words what has come of it.

    Raises InputError where a float32 file gives other outputs than the model, and where int8 has nothing to be
    calibrated on.
    """
    said = ""
    if card.precision == INT8:
        records = _read_training_records(original)
        images = choose_images(records.select("train"), max(chosen.calibrations))
        write = partial(chosen.write, original.model, card)
        count = write_closest(write, chosen.calibrations, images, original, file)
        said = f", calibrated on {min(count, len(images.images))} images"
        _warn_of_loss(chosen.open(file), original, records)
    else:
        chosen.write(original.model, card, file, None)
    exported = chosen.open(file)
    differs = difference(exported, original)
    if not np.isfinite(differs):
        raise InputError(
            f"{file.name} would put out what is no number: a weight of {original.file} is none, or too large for "
            f"{card.precision}; nothing is written"
        )
    if card.precision == FLOAT32 and differs > TOLERANCE:
        raise InputError(f"{file.name} would differ from {original.file} by {differs:.1e}; nothing is written")
    return f"{exported.size()['size_mb']} MB, differs from {original.file} by {differs:.1e}{said}"


def _read_training_records(original: KerasPredictor) -> Records:
    """Return the records that a model was trained on. Raises InputError where they are not there."""
    needs = f"int8 is calibrated on the images that {original.file} was trained on, and {paths.PREPARED}"
    if not paths.PREPARED.is_dir():
        raise InputError(f"{needs} is not there; make it with `dvc repro`, or fetch it with `dvc pull prepare`")
    if original.card is None or original.card.trained_on.prepared != read_card(paths.PREPARED).hash:
        raise InputError(f"{needs} holds others; bring them back with `dvc checkout` or `dvc repro`")
    return read_records(paths.PREPARED)


def _warn_of_loss(exported: Predictor, original: Predictor, records: Records) -> None:
    """Print a warning where an export loses much of the accuracy or of a CCC, on images that neither has learnt."""
    held_out = records.held_out
    metrics = [evaluate_predictions(predict_records(each, held_out, BATCH))[0] for each in (original, exported)]
    for task, name in (("emotion", "accuracy"), *((task, "ccc") for task in VALENCE_AROUSAL)):
        before, after = (found.get(task, {}).get(name) for found in metrics)
        if before is not None and after is not None and before - after >= MAX_LOSS:
            print(
                f"export: warning: {task} {name} falls from {before:.3f} to {after:.3f} on {len(held_out.index)} "
                f"held-out images; float16 loses next to nothing, at half of the size",
                file=sys.stderr,
            )
