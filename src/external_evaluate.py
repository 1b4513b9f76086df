"""Predict a dataset that the models were not trained on, and report it:
`dvc repro pipelines/external/dvc.yaml:evaluate@NAME`."""

import argparse

import pandas as pd

from affect.core.files import atomic_folder, write_json, write_table, write_text
from affect.core.places import require_folder, require_place
from affect.core.records import Records, read_card, read_records
from affect.data.splitting.duplicates import find_copies, hash_images
from affect.evaluation.baselines import baselines
from affect.evaluation.results import evaluate_ways
from affect.models import backend
from affect.models.card import describe_fitting, require_trained_on
from affect.models.predictors import Predictor, open_predictor, predict_records
from affect.plumbing import paths
from affect.plumbing.errors import InputError
from affect.plumbing.params import BACKBONES, Params, load_external, load_params
from affect.plumbing.stage import run_stage
from affect.report.pages.external import read_external, render_external_html, render_external_markdown

# The images that a training has seen: it learns from the ones, and early stopping watches the others.
SEEN = ("train", "val")


def main() -> None:
    """Run the stage."""
    command = argparse.ArgumentParser(description=__doc__)
    command.add_argument("name", help=f"of a dataset in {paths.EXTERNAL_PARAMS}")
    name = command.parse_args().name
    load_external().find(name)
    params, metrics = load_params(), paths.EXTERNAL_METRICS / name
    for output in ("copies.csv", "results.json", "report.html", "report.md"):
        require_place(metrics / output)
    require_folder(metrics / "predictions", list_files())
    backend.require_backend("tensorflow", "the backend of evaluation")
    backend.set_up()
    records, card = read_records(paths.EXTERNAL / name), read_card(paths.EXTERNAL / name)
    tables, models = predict_with_all(params, records, name)
    trained = read_records(paths.PREPARED)
    copies = list_copies(records, trained, params.data.duplicate_distance)
    bootstrap, bins = params.evaluate.bootstrap, params.evaluate.calibration_bins
    results = {
        "dataset": {"name": name, "fitting": describe_fitting(card, records.size)} | card.model_dump(),
        "models": models,
        "mirror": params.evaluate.mirror,
        "copies": {split: int((copies["split"] == split).sum()) for split in SEEN},
        **evaluate_ways(tables, bootstrap, params.evaluate.seed, bins),
    }
    learnt, expressions = trained.select("train").index, sorted(set(records.index["expression"]))
    results["baselines"] = {"free": baselines(learnt, records.index)}
    if "limited" in results:
        results["baselines"]["limited"] = baselines(learnt, records.index, expressions)
    with atomic_folder(metrics / "predictions", list_files()) as folder:
        for network, table in tables.items():
            write_table(folder / f"{network}.csv", table)
    write_table(metrics / "copies.csv", copies)
    write_json(metrics / "results.json", results)
    external = read_external(metrics)
    write_text(metrics / "report.md", render_external_markdown(external, bootstrap))
    write_text(metrics / "report.html", render_external_html(external, bootstrap))
    print(f"external_evaluate: {metrics / 'report.html'}")


def predict_with_all(params: Params, records: Records, name: str) -> tuple[dict[str, pd.DataFrame], dict[str, dict]]:
    """Return each network's predictions, and the MD5 and the card of its file.

    Raises InputError for a model of other records than the experiment's, and of another image size.
    """
    cards = read_card(paths.PREPARED), read_card(paths.AUGMENTED)
    options = params.evaluate
    tables, models = {}, {}
    for backbone in params.backbones:
        file = paths.model_file(backbone)
        predictor = open_predictor(file)
        card = require_trained_on(file, predictor.card, *cards)
        require_size(predictor, records, name)
        models[str(backbone)] = {"md5": paths.file_md5(file), "card": card.model_dump()}
        tables[str(backbone)] = predict_records(predictor, records, options.batch_size, options.mirror)
    return tables, models


def list_files() -> list[str]:
    """List the names of the tables that the stage writes, or wrote when other networks were trained."""
    return [f"{backbone}.csv" for backbone in BACKBONES]


def require_size(predictor: Predictor, records: Records, name: str) -> None:
    """Raise InputError where a model takes images of another size than was prepared, as models that differ do."""
    if predictor.image_size != records.size:
        raise InputError(
            f"{predictor.name} takes images of {predictor.image_size} pixels, but {paths.EXTERNAL / name} holds "
            f"{records.size}, which data.image_size says; `dvc repro {paths.EXTERNAL_PIPELINE}` makes all of one size"
        )


def list_copies(records: Records, trained: Records, distance: int) -> pd.DataFrame:
    """Return the images that are copies of ones that the models have seen: the columns id, copy_of and its split."""
    seen = trained.index[trained.index["split"].isin(SEEN)]
    images = trained.images.slice(int(seen.index.min()), int(seen.index.max()) + 1)
    found = find_copies(hash_images(records.images, "copies"), hash_images(images, "copies"), distance)
    copies = records.index[found >= 0]
    originals = seen.iloc[found[found >= 0]]
    return pd.DataFrame(
        {"id": copies["id"].to_numpy(), "copy_of": originals["id"].to_numpy(), "split": originals["split"].to_numpy()}
    )


if __name__ == "__main__":
    run_stage(main)
