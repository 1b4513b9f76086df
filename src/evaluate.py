"""Predict the held-out images and compute the metrics: `dvc repro evaluate`, or `python src/evaluate.py`."""

from pathlib import Path

import pandas as pd
from tqdm import tqdm

from affect import runtime
from affect.evaluation import affect_scatter, confusion, evaluate_predictions, precision_recall, roc
from affect.files import write_json
from affect.models import cost, load_model
from affect.predictions import COLUMNS, predict
from affect.records import Records, read_records
from affect.runtime import keras
from params import load_params
from stage import run_stage

RECORDS = Path("data/prepared")
MODELS = Path("models")
METRICS = Path("metrics/evaluate.json")
PREDICTIONS = Path("metrics/predictions")
PLOTS = Path("metrics/plots")
PLOTTED = {"confusion": confusion, "roc": roc, "precision_recall": precision_recall, "affect": affect_scatter}


def main() -> None:
    """Run the stage."""
    params = load_params()
    runtime.set_up()
    records = read_records(RECORDS)
    split = "test" if (records.index["split"] == "test").any() else "val"
    held_out = records.select(split)
    metrics: dict = {"split": split, "images": len(held_out.index)}
    tables: dict[str, pd.DataFrame] = {}
    for backbone in params.backbones:
        file = MODELS / f"{backbone}.keras"
        model = load_model(file)
        tables[backbone] = predict_records(model, held_out, params.evaluate.batch_size, backbone)
        results, notes = evaluate_predictions(tables[backbone])
        metrics[backbone] = results | {"cost": cost(model, file), "notes": notes}
    write_json(METRICS, metrics)
    write_tables(tables)


def predict_records(model: keras.Model, records: Records, batch_size: int, description: str) -> pd.DataFrame:
    """Predict records in batches; returns their ids and labels beside the predictions."""
    starts = tqdm(range(0, len(records.images), batch_size), desc=description, disable=None)
    predicted = predict(model, (records.images[start : start + batch_size] for start in starts))
    return records.index.join(predicted)[COLUMNS]


def write_tables(tables: dict[str, pd.DataFrame]) -> None:
    """Write each backbone's predictions, and what the plots show of all backbones together."""
    PREDICTIONS.mkdir(parents=True, exist_ok=True)
    PLOTS.mkdir(parents=True, exist_ok=True)
    for backbone, table in tables.items():
        table.to_csv(PREDICTIONS / f"{backbone}.csv", index=False, lineterminator="\n")
    for name, plotted in PLOTTED.items():
        parts = pd.concat({backbone: plotted(table) for backbone, table in tables.items()}, names=["backbone"])
        parts.reset_index(level=0).to_csv(PLOTS / f"{name}.csv", index=False, lineterminator="\n")


if __name__ == "__main__":
    run_stage(main)
