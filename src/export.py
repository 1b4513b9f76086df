"""Write a trained model as a file that runs without Keras.

    python src/export.py models/resnet50.keras --format onnx -o resnet50.onnx

The preprocessing is inside: the file takes RGB 0-255, and says itself what it predicts and what it was trained on. It
must be a new file: nothing that is there already is ever replaced.
"""

import argparse
from pathlib import Path

from affect.core.files import new_file
from affect.core.labels import EXPRESSIONS
from affect.export.graph import require_tensorflow
from affect.export.measured import read_metrics
from affect.export.onnx_file import to_onnx
from affect.export.parity import TOLERANCE, difference
from affect.models import backend
from affect.models.card import ExportCard
from affect.models.predictors import KerasPredictor, open_predictor
from affect.plumbing import paths
from affect.plumbing.errors import InputError
from affect.plumbing.stage import printable, run_command

# The ending of each format's files.
ENDINGS = {"onnx": ".onnx"}
LICENCE = "MIT for the code; the weights also have the terms of the images that they were trained on"


def main() -> None:
    """Run the command."""
    options = parse_command()
    require_tensorflow()
    if options.output.suffix != ENDINGS[options.format]:
        raise InputError(
            f"-o {options.output}: the name of a file in {options.format} ends in {ENDINGS[options.format]}"
        )
    with new_file(options.output) as output:
        backend.set_up()
        original = KerasPredictor(options.model)
        card = describe(original, options.precision)
        output.write_bytes(to_onnx(original.model, card))
        differs = difference(open_predictor(output), original)
        if differs > TOLERANCE:
            raise InputError(f"{options.output} would differ from {options.model} by {differs:.1e}; nothing is written")
    megabytes = options.output.stat().st_size / 1e6
    print(printable(f"export: {options.output}, {megabytes:.1f} MB, differs from {options.model} by {differs:.1e}"))


def parse_command() -> argparse.Namespace:
    """Parse the command line."""
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("model", type=Path, help="a .keras file that train has written")
    command.add_argument("--format", choices=ENDINGS, default="onnx")
    command.add_argument("--precision", choices=["float32"], default="float32")
    command.add_argument("-o", "--output", type=Path, required=True, help="the file to write, a new one")
    return command.parse_args()


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
