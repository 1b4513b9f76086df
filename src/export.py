"""Write a trained model as a file that runs without Keras.

    python src/export.py models/resnet50.keras -o resnet50.onnx
    python src/export.py models/resnet50.keras --format litert --precision int8 -o resnet50.tflite

The preprocessing is inside: the file takes RGB 0-255, and says itself what it predicts and what it was trained on. A
text that says so as well, the model card, lies beside it. Both must be new: nothing that is there is ever replaced.
"""

import argparse
from contextlib import AbstractContextManager
from pathlib import Path

from affect.core.files import new_file, new_folder
from affect.export.formats import FLOAT32, FORMATS, PRECISIONS, Format
from affect.export.graph import require_tensorflow
from affect.export.writing import describe, write_export
from affect.models import backend
from affect.models.predictors import KerasPredictor
from affect.plumbing import paths
from affect.plumbing.errors import InputError
from affect.plumbing.stage import printable, run_command
from affect.report.pages.model_card import render_model_card
from affect.report.provenance import read_metrics


def main() -> None:
    """Run the command."""
    options = parse_command()
    output, chosen = options.output, FORMATS[options.format]
    require_tensorflow()
    if options.precision not in chosen.precisions:
        raise InputError(f"--precision {options.precision}: {options.format} has {', '.join(chosen.precisions)} alone")
    if output.suffix != chosen.ending:
        ending = f"ends in {chosen.ending}" if chosen.ending else "has no ending, for it is a folder"
        raise InputError(f"-o {output}: the name of a model in {options.format} {ending}")
    # The model is in its place before its card: where a name is taken meanwhile, that costs the card at most.
    with new_file(output.with_name(f"{output.name}.md")) as text, new_output(output, chosen) as file:
        backend.set_up()
        original = KerasPredictor(options.model)
        card = describe(original, options.precision, read_metrics(options.model, paths.LOCK, paths.EVALUATE_METRICS))
        said = write_export(original, chosen, card, file)
        text.write_text(render_model_card(card, output.name), encoding="utf-8")
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


if __name__ == "__main__":
    run_command(main)
