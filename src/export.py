"""Write a trained model as a file that runs without Keras.

    python src/export.py models/resnet50.keras -o resnet50.onnx
    python src/export.py models/resnet50.keras --format litert --precision int8 -o resnet50.tflite

The preprocessing is inside: the file takes RGB 0-255, and says itself what it predicts and what it was trained on. A
text that says so as well, the model card, lies beside it. Both must be new: nothing that is there is ever replaced.
"""

import argparse
import sys
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path

from affect.core.files import new_file, new_folder
from affect.core.labels import EXPRESSIONS, VALENCE_AROUSAL
from affect.core.records import Records, read_card, read_records
from affect.evaluation.results import evaluate_predictions
from affect.export.calibration import choose_images, write_closest
from affect.export.formats import FLOAT32, FORMATS, INT8, PRECISIONS, Format
from affect.export.graph import require_tensorflow
from affect.export.parity import TOLERANCE, difference
from affect.models import backend
from affect.models.card import ExportCard
from affect.models.predictors import KerasPredictor, Predictor, predict_records
from affect.plumbing import paths
from affect.plumbing.errors import InputError
from affect.plumbing.stage import printable, run_command
from affect.report.pages.model_card import render_model_card
from affect.report.provenance import read_metrics

LICENCE = "MIT for the code; the weights also have the terms of the images that they were trained on"
# What int8 may lose of accuracy or CCC before the command warns.
MAX_LOSS = 0.02
BATCH = 64


def main() -> None:
    """Run the command."""
    options = parse_command()
    output, chosen = options.output, FORMATS[options.format]
    if options.precision not in chosen.precisions:
        raise InputError(f"--precision {options.precision}: {options.format} has {', '.join(chosen.precisions)} alone")
    if output.suffix != chosen.ending:
        ending = f"ends in {chosen.ending}" if chosen.ending else "has no ending, for it is a folder"
        raise InputError(f"-o {output}: the name of a model in {options.format} {ending}")
    with new_output(output, chosen) as file, new_file(output.with_name(f"{output.name}.md")) as text:
        original = KerasPredictor(options.model)
        said = export(original, chosen, options.precision, file, text)
    print(printable(f"export: {output}, {said}"))


def parse_command() -> argparse.Namespace:
    """Parse the command line."""
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("model", type=Path, help="a .keras file that train has written")
    command.add_argument("--format", choices=FORMATS, default="onnx")
    command.add_argument("--precision", choices=PRECISIONS, default=FLOAT32, help="of the weights; int8 of all")
    command.add_argument("-o", "--output", type=Path, required=True, help="the file to write, a new one")
    return command.parse_args()


def new_output(output: Path, chosen: Format) -> AbstractContextManager[Path]:
    """Return what writes a new file, or a new folder where the format is one."""
    return new_file(output) if chosen.ending else new_folder(output)


def export(original: KerasPredictor, chosen: Format, precision: str, file: Path, text: Path) -> str:
    """Write a model to a file, and its card to a text beside it; return in words what has come of it.

    Raises InputError where a float32 file gives other outputs than the model, and where int8 has nothing to be
    calibrated on.
    """
    require_tensorflow()
    backend.set_up()
    card = describe(original, precision)
    said = ""
    if precision == INT8:
        records = read_training_records(original)
        images = choose_images(records.select("train"), max(chosen.calibrations))
        write = partial(chosen.write, original.model, card)
        count = write_closest(write, chosen.calibrations, images, original, file)
        said = f", calibrated on {min(count, len(images.images))} images"
        warn_of_loss(chosen.open(file), original, records)
    else:
        chosen.write(original.model, card, file, None)
    exported = chosen.open(file)
    differs = difference(exported, original)
    if precision == FLOAT32 and differs > TOLERANCE:
        raise InputError(f"{file.name} would differ from {original.file} by {differs:.1e}; nothing is written")
    text.write_text(render_model_card(card, file.name), encoding="utf-8")
    return f"{exported.size()['size_mb']} MB, differs from {original.file} by {differs:.1e}{said}"


def read_training_records(original: KerasPredictor) -> Records:
    """Return the records that a model was trained on. Raises InputError where they are not there."""
    needs = f"int8 is calibrated on the images that {original.file} was trained on, and {paths.PREPARED}"
    if not paths.PREPARED.is_dir():
        raise InputError(f"{needs} is not there; make it with `dvc repro`, or fetch it with `dvc pull prepare`")
    if original.card is None or original.card.trained_on.prepared != read_card(paths.PREPARED).hash:
        raise InputError(f"{needs} holds others; bring them back with `dvc checkout` or `dvc repro`")
    return read_records(paths.PREPARED)


def warn_of_loss(exported: Predictor, original: Predictor, records: Records) -> None:
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


def describe(original: KerasPredictor, precision: str) -> ExportCard:
    """Return what the exported file says of itself."""
    size = original.size()
    return ExportCard(
        source={"file": original.file.name, "md5": paths.file_md5(original.file)},
        precision=precision,
        expressions=list(EXPRESSIONS),
        model=original.card,
        parameters={name: size[name] for name in ("parameters", "trainable_parameters")},
        metrics=read_metrics(original.file, paths.LOCK, paths.EVALUATE_METRICS),
        licence=LICENCE,
    )


if __name__ == "__main__":
    run_command(main)
