"""Export a network of the current run: `dvc repro pipelines/export/dvc.yaml:export@resnet50-onnx-int8`."""

import argparse

from affect.core.files import atomic_folder
from affect.export.formats import find_format
from affect.export.graph import require_tensorflow
from affect.export.writing import describe, write_export
from affect.models import backend
from affect.models.predictors import KerasPredictor
from affect.plumbing import paths
from affect.plumbing.params import load_exports
from affect.plumbing.stage import run_stage
from affect.report.pages.model_card import render_model_card
from affect.report.provenance import read_metrics


def main() -> None:
    """Run the stage."""
    command = argparse.ArgumentParser(description=__doc__)
    command.add_argument("network", help=f"of a network in {paths.EXPORT_PARAMS}")
    command.add_argument("export", help="format and precision, such as onnx-int8")
    options = command.parse_args()
    network, export = options.network, options.export
    load_exports().require(network, export)
    chosen, precision = find_format(export)
    name = f"{network}{chosen.ending}"
    require_tensorflow()
    backend.set_up()
    with atomic_folder(paths.EXPORT / network / export, [name, f"{name}.md"]) as folder:
        original = KerasPredictor(paths.model_file(network))
        card = describe(original, precision, read_metrics(original.file, paths.LOCK, paths.EVALUATE_METRICS))
        said = write_export(original, chosen, card, folder / name)
        (folder / f"{name}.md").write_text(render_model_card(card, name), encoding="utf-8")
    print(f"export_export: {paths.EXPORT / network / export / name}, {said}")


if __name__ == "__main__":
    run_stage(main)
