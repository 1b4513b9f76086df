"""Predict the held-out images, compute and report the metrics: `dvc repro evaluate`, or `python src/evaluate.py`."""

from pathlib import Path

import numpy as np
import pandas as pd

from affect.core.files import atomic_folder, write_json, write_table, write_text
from affect.core.labels import EXPRESSIONS, VALENCE_AROUSAL
from affect.core.places import require_folder, require_place
from affect.core.records import Records, read_card, read_records
from affect.data.images.contact_sheet import save_captioned
from affect.evaluation.baselines import baselines
from affect.evaluation.error_analysis import reliability, worst_errors
from affect.evaluation.groups.division import find_groups
from affect.evaluation.results import evaluate
from affect.models import backend
from affect.models.card import require_trained_on
from affect.models.predictors import open_predictor, predict_records
from affect.plumbing import paths
from affect.plumbing.errors import InputError
from affect.plumbing.params import BACKBONES, Params, load_params
from affect.plumbing.stage import run_stage
from affect.report.plot_data import circumplex, confusion, precision_recall, roc, va_scatter
from affect.report.provenance import dataset_hash
from affect.report.render import render_html, render_markdown
from affect.report.run_results import read_results

# The tables of metrics/plots that are made of one network's predictions.
PLOTTED = {
    "confusion": confusion,
    "roc": roc,
    "precision_recall": precision_recall,
    "affect": va_scatter,
    "circumplex": circumplex,
}
PLOT_FILES = {name: paths.PLOTS / f"{name}.csv" for name in (*PLOTTED, "reliability")}
MAX_ERRORS = 20
MAX_ID_LENGTH = 24


def main() -> None:
    """Run the stage."""
    params = load_params()
    for file in (paths.EVALUATE_METRICS, paths.REPORT_MARKDOWN, paths.REPORT_PAGE, *PLOT_FILES.values()):
        require_place(file)
    require_folder(paths.PREDICTIONS, list_files(".csv"))
    require_folder(paths.WORST_ERRORS, list_files(".png"))
    for backbone in params.backbones:
        require_finished(backbone)
    backend.require_backend("tensorflow", "the backend of evaluation")
    backend.set_up()
    records, cards = read_records(paths.PREPARED), (read_card(paths.PREPARED), read_card(paths.AUGMENTED))
    held_out, options = records.held_out, params.evaluate
    tables: dict[str, pd.DataFrame] = {}
    sizes: dict[str, dict] = {}
    for backbone in params.backbones:
        file = paths.model_file(backbone)
        predictor = open_predictor(file)
        require_trained_on(file, predictor.card, *cards)
        tables[backbone] = predict_records(predictor, held_out, options.batch_size, options.mirror)
        sizes[backbone] = predictor.size()
    groups = find_groups(held_out.index)
    results = evaluate(tables, options.bootstrap, options.seed, options.calibration_bins, groups)
    results["cost"] = sizes
    results["baselines"] = baselines(records.select("train").index, held_out.index)
    write_json(paths.EVALUATE_METRICS, results | {"split": records.held_out_split, "images": len(held_out.index)})
    write_tables(tables, options.calibration_bins)
    with atomic_folder(paths.WORST_ERRORS, list_files(".png")) as folder:
        for name, table in tables.items():
            show_worst_errors(held_out, table, name, folder)
    write_report(params)


def require_finished(backbone: str) -> None:
    """Raise InputError where a training has left curves, and perhaps a model, but has not ended."""
    if not paths.training_metrics(backbone).is_file():
        raise InputError(
            f"{paths.training_metrics(backbone)} is missing, so the training of {backbone} has not ended; "
            f"`dvc repro train@{backbone}` goes on with it"
        )


def list_files(ending: str) -> list[str]:
    """List the names of the files that the stage writes, or wrote when other networks were trained."""
    return [f"{backbone}{ending}" for backbone in BACKBONES]


def write_tables(tables: dict[str, pd.DataFrame], calibration_bins: int) -> None:
    """Write each backbone's predictions, and what the plots show of all backbones together."""
    with atomic_folder(paths.PREDICTIONS, list_files(".csv")) as folder:
        for backbone, table in tables.items():
            write_table(folder / f"{backbone}.csv", table)
    for name, plotted in PLOTTED.items():
        write_plot(name, {backbone: plotted(table) for backbone, table in tables.items()})
    write_plot("reliability", {name: reliability(table, calibration_bins) for name, table in tables.items()})


def write_plot(name: str, parts: dict[str, pd.DataFrame]) -> None:
    """Write the data of a plot, each row with its backbone."""
    write_table(PLOT_FILES[name], pd.concat(parts, names=["backbone"]).reset_index(level=0))


def show_worst_errors(records: Records, table: pd.DataFrame, backbone: str, folder: Path) -> None:
    """Draw the images whose expression a network gets most wrong, with labels and predictions."""
    worst = worst_errors(table, MAX_ERRORS)
    captions = [describe_error(row) for _, row in worst.iterrows()]
    wrong = int((table["expression"] != table["predicted_expression"]).sum())
    title = f"{backbone}: {len(worst)} of {wrong} wrong expressions"
    if not table[list(VALENCE_AROUSAL)].isna().all(axis=None):
        title += "; valence and arousal: true / predicted"
    images = [records.images[row] for row in worst.index]
    save_captioned(folder / f"{backbone}.png", title, images, captions)


def describe_error(row: pd.Series) -> str:
    """Return an image's id, its true and predicted expression, and, where known, its valence and arousal."""
    lines = [
        row["id"][-MAX_ID_LENGTH:],
        f"{EXPRESSIONS[row['expression']]}, taken for",
        EXPRESSIONS[row["predicted_expression"]],
    ]
    for task in VALENCE_AROUSAL:
        if not np.isnan(row[task]):
            lines.append(f"{task} {row[task]:.2f} / {row[f'predicted_{task}']:.2f}")
    return "\n".join(lines)


def write_report(params: Params) -> None:
    """Write metrics/report.md and report.html from the files in metrics/."""
    results = read_results(paths.METRICS)
    write_text(paths.REPORT_MARKDOWN, render_markdown(results, params.reported))
    page = render_html(results, params.reported, dataset_hash(params.data.raw, paths.LOCK))
    write_text(paths.REPORT_PAGE, page)


if __name__ == "__main__":
    run_stage(main)
