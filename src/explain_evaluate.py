"""Explain the held-out images by a network's maps, and test whether they are better than chance:
`dvc repro pipelines/explain/dvc.yaml:evaluate@NETWORK`."""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image
from tqdm import tqdm

from affect.core.files import atomic_folder, write_json, write_table, write_text
from affect.core.places import require_folder, require_place
from affect.core.predictions import DECIMALS
from affect.core.records import Records, read_card, read_records
from affect.data.splitting.sampling import sample_stratified
from affect.evaluation.error_analysis import worst_errors
from affect.explanation.features import compute_features, find_neighbours, project
from affect.explanation.regions.action_units import EMFACS, EXPECTED
from affect.explanation.regions.landmarks import read_landmarks
from affect.explanation.regions.locating import LocatedFace, locate
from affect.explanation.study.columns import count_faces
from affect.explanation.study.sheets import MAX_ERRORS, NEIGHBOURS, show_faces, show_mean_faces, show_neighbours
from affect.explanation.study.studied import study_maps
from affect.explanation.study.tables import count_alike, tabulate_curves, tabulate_faces, tabulate_features
from affect.models import backend
from affect.models.predictors import KerasPredictor, predict_records
from affect.plumbing import paths
from affect.plumbing.params import Explain, Params, load_explain, load_params
from affect.plumbing.stage import run_stage
from affect.report.pages.explain import read_explained, render_explain_html, render_explain_markdown

TABLES = ("curves.csv", "faces.csv", "features.csv", "results.json", "report.html", "report.md")
PICTURES = ("mean_faces.png", "faces.png", "neighbours.png")


def main() -> None:
    """Run the stage."""
    command = argparse.ArgumentParser(description=__doc__)
    command.add_argument("network", help=f"of a network in {paths.EXPLAIN_PARAMS}")
    network = command.parse_args().network
    options, params = load_explain(), load_params()
    options.require(network)
    metrics, pictures = paths.EXPLAIN_METRICS / network, paths.EXPLAIN / network
    for output in TABLES:
        require_place(metrics / output)
    require_folder(pictures, PICTURES)
    backend.require_backend("tensorflow", "the backend of evaluation")
    backend.set_up()
    predictor, records = KerasPredictor(paths.model_file(network)), read_records(paths.PREPARED)
    held_out, batch_size = records.held_out, params.evaluate.batch_size
    rows = choose_rows(held_out.index, options)
    index, images = held_out.index.iloc[rows].reset_index(drop=True), held_out.images[rows]
    faces = find_faces(params, held_out, rows)
    studied = study_maps(predictor, images, list(index["id"]), faces, options, params.evaluate)
    predictions = predict_records(predictor, held_out, batch_size)
    features = compute_features(predictor.model, batches(held_out, batch_size))
    plane, variance = project(features)
    neighbours = find_neighbours(features, min(NEIGHBOURS, len(features) - 1))
    explanation, shown = studied.explanation, studied.shown
    sheets = {
        "mean_faces.png": show_mean_faces(explanation, shown, images, faces),
        "faces.png": show_faces(explanation, shown, images, index),
        "neighbours.png": show_neighbours(held_out, worst_errors(predictions, MAX_ERRORS), neighbours),
    }
    write_pictures(pictures, sheets)
    results = {
        "network": network,
        "models": {network: {"md5": paths.file_md5(predictor.file)}},
        "split": records.held_out_split,
        "images": len(rows),
        "of_images": len(held_out.index),
        "layer": studied.layer,
        "map": list(explanation.maps["hirescam"]["emotion"].shape[1:]),
        "faults": studied.faults,
        "shown": shown,
        "action_units": EMFACS,
        "expected": {name: sorted(regions) for name, regions in EXPECTED.items()},
        "faces": count_faces(explanation, faces, studied.columns),
        "above_area": studied.above_area,
        **studied.means,
        "features": describe_features(held_out, neighbours, variance),
        "pictures": {file.name: paths.file_md5(file) for file in sorted(pictures.iterdir())},
    }
    write_table(metrics / "curves.csv", tabulate_curves(studied.curves))
    write_table(metrics / "faces.csv", tabulate_faces(index, explanation, studied.columns, shown))
    write_table(metrics / "features.csv", tabulate_features(predictions, plane))
    write_json(metrics / "results.json", results)
    explained = read_explained(metrics, pictures)
    write_text(metrics / "report.md", render_explain_markdown(explained, params.evaluate.bootstrap))
    write_text(metrics / "report.html", render_explain_html(explained, params.evaluate.bootstrap))
    for task in [task for task, method in shown.items() if method is None]:
        print(f"explain_evaluate: warning: no map of {task} passes its test, of {network}", file=sys.stderr)
    print(f"explain_evaluate: {metrics / 'report.html'}")


def write_pictures(folder: Path, sheets: dict[str, Image.Image | None]) -> None:
    """Write those that there are."""
    with atomic_folder(folder, PICTURES) as temporary:
        for name, sheet in sheets.items():
            if sheet is not None:
                sheet.save(temporary / name)


def choose_rows(index: pd.DataFrame, options: Explain) -> np.ndarray:
    """Return the places of the images that are explained."""
    if options.images >= len(index):
        return np.arange(len(index))
    strata = pd.Series(index["expression"].to_numpy(), index=index["id"])
    return np.flatnonzero(index["id"].isin(sample_stratified(strata, options.images, options.seed)))


def batches(records: Records, batch_size: int) -> Iterator[np.ndarray]:
    """Yield the images of records."""
    for start in tqdm(range(0, len(records.images), batch_size), desc="features", disable=None):
        yield records.images[start : start + batch_size]


def find_faces(params: Params, held_out: Records, rows: np.ndarray) -> list[LocatedFace | None]:
    """Locate the landmarks of the images that are explained; of the sample's faces also where they would be at rest."""
    landmarks = read_landmarks(params.data, set(held_out.index["id"].iloc[rows]))
    is_drawn = read_card(paths.PREPARED).dataset == str(paths.SAMPLE)
    return locate(held_out, rows, landmarks, params.sample if is_drawn else None)


def describe_features(held_out: Records, neighbours: np.ndarray, variance: np.ndarray) -> dict[str, Any]:
    """Return the variance that the plane holds, and how often faces that are alike are of one expression."""
    first, second = (round(float(share), DECIMALS) for share in variance)
    alike = count_alike(held_out.index["expression"].to_numpy(), neighbours)
    return {"first": first, "second": second, "alike": alike}


if __name__ == "__main__":
    run_stage(main)
