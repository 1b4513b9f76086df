"""Judge a network's exported files by the held-out images, and report what they lose:
`dvc repro pipelines/export/dvc.yaml:evaluate@NETWORK`."""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd

from affect.core.files import atomic_folder, write_json, write_table, write_text
from affect.core.places import require_folder, require_place
from affect.core.records import read_records
from affect.evaluation.results import evaluate
from affect.export.formats import FLOAT32, find_format
from affect.export.judging import OUTPUTS, TOLERANCE, largest_difference
from affect.models import backend
from affect.models.predictors import KerasPredictor, Predictor, predict_records
from affect.plumbing import paths
from affect.plumbing.errors import InputError
from affect.plumbing.params import load_exports, load_params
from affect.plumbing.params.export import EXPORTS
from affect.plumbing.stage import run_stage
from affect.report.pages.export import read_export, render_export_html, render_export_markdown

# The network itself, beside its exports.
ORIGINAL = "keras"
TIMED = Path(__file__).with_name("timing.py")


def main() -> None:
    """Run the stage."""
    command = argparse.ArgumentParser(description=__doc__)
    command.add_argument("network", help=f"of a network in {paths.EXPORT_PARAMS}")
    network = command.parse_args().network
    exports = load_exports()
    exports.require(network)
    params, metrics = load_params().evaluate, paths.EXPORT_METRICS / network
    for output in ("results.json", "report.html", "report.md", "timing.json"):
        require_place(metrics / output)
    names = [f"{name}.csv" for name in (ORIGINAL, *EXPORTS)]
    require_folder(metrics / "predictions", names)
    backend.require_backend("tensorflow", "the backend of evaluation")
    backend.set_up()
    original, records = KerasPredictor(paths.model_file(network)), read_records(paths.PREPARED)
    held_out = records.held_out
    files: dict[str, Predictor] = {ORIGINAL: original}
    files |= {export: open_export(original, network, export) for export in exports.exports}
    tables = {name: predict_records(each, held_out, params.batch_size, params.mirror) for name, each in files.items()}
    results = {
        "network": network,
        "models": {network: {"md5": paths.file_md5(original.file)}},
        "split": records.held_out_split,
        "images": len(held_out.index),
        "mirror": params.mirror,
        "files": describe_files(files, tables),
        **evaluate(tables, params.bootstrap, params.seed, params.calibration_bins),
    }
    with atomic_folder(metrics / "predictions", names) as folder:
        for name, table in tables.items():
            write_table(folder / f"{name}.csv", table)
    write_json(metrics / "results.json", results)
    write_json(metrics / "timing.json", {name: time_file(network, name) for name in tables})
    read = read_export(metrics)
    write_text(metrics / "report.md", render_export_markdown(read, params.bootstrap))
    write_text(metrics / "report.html", render_export_html(read, params.bootstrap))
    for export, lost in read.losses().items():
        print(f"export_evaluate: warning: {network} as {export} loses {lost}", file=sys.stderr)
    print(f"export_evaluate: {metrics / 'report.html'}")


def export_file(network: str, export: str) -> Path:
    """Return the file of an export."""
    return paths.EXPORT / network / export / f"{network}{find_format(export)[0].ending}"


def open_export(original: KerasPredictor, network: str, export: str) -> Predictor:
    """Open an export. Raises InputError where it is of another model."""
    file = export_file(network, export)
    opened = find_format(export)[0].open(file)
    if opened.exported is None or opened.exported.source["md5"] != paths.file_md5(original.file):
        raise InputError(f"{file} is of another {network}; run `dvc repro {paths.EXPORT_PIPELINE}`")
    return opened


def describe_files(files: dict[str, Predictor], tables: dict[str, pd.DataFrame]) -> dict[str, dict[str, Any]]:
    """Return the size of each file, and how far any of its outputs is from the network's own.

    Raises InputError where that is more than rounding in a float32 file.
    """
    described: dict[str, dict[str, Any]] = {}
    for name, each in files.items():
        differs = largest_difference(tables[name][OUTPUTS].to_numpy(), tables[ORIGINAL][OUTPUTS].to_numpy())
        if name.endswith(FLOAT32) and differs > TOLERANCE:
            raise InputError(f"{name} of {each.name} gives outputs that differ from the network's by {differs:.1e}")
        described[name] = {"size_mb": each.size()["size_mb"], "difference": round(differs, 6)}
    return described


def time_file(network: str, name: str) -> dict[str, float] | None:
    """Return milliseconds and memory of a file, in a process of its own; None for a SavedModel, which is a folder."""
    file = paths.model_file(network) if name == ORIGINAL else export_file(network, name)
    if file.is_dir():
        return None
    done = subprocess.run([sys.executable, TIMED, "--json", file], stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise InputError(f"{file} can't be timed; `python src/timing.py {file}` says why")
    return json.loads(done.stdout)


if __name__ == "__main__":
    run_stage(main)
