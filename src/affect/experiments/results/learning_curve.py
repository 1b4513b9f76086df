"""A learning curve: the metrics of experiments on more and more training images."""

import json
from collections.abc import Sequence
from typing import Any

import pandas as pd

from affect.evaluation.groups.sides import METRICS
from affect.experiments.reading import Experiment
from affect.experiments.results.markdown import format_estimate, format_table
from affect.plumbing import paths


def read_points(experiments: Sequence[Experiment]) -> pd.DataFrame:
    """Return a row for each metric of each network of each experiment, the fewest training images first.

    Columns: experiment, train_fraction, training_images, split and images (held out, of the metric), backbone, task,
    metric, value, and low and high of the 95 % interval, NaN where there is none. Raises InputError for an experiment
    that has no metrics of its own, or whose files git does not have.
    """
    rows = []
    for experiment in experiments:
        prepared = json.loads(experiment.read_file(paths.PREPARE_METRICS))
        evaluated = json.loads(experiment.read_file(paths.EVALUATE_METRICS))
        about = {
            "experiment": experiment.label,
            "train_fraction": experiment.params["data.train_fraction"],
            "training_images": prepared["splits"]["train"]["images"],
            "split": evaluated["split"],
            "images": evaluated["images"],
        }
        for (network, task, metric), value in experiment.require_metrics().items():
            low, high = evaluated[network]["intervals"].get(task, {}).get(metric, (None, None))
            named = {"backbone": network, "task": task, "metric": metric}
            rows.append(about | named | {"value": value, "low": low, "high": high})
    points = pd.DataFrame(rows).astype({"low": float, "high": float})
    return points.sort_values("training_images", kind="stable", ignore_index=True)


def show_points(points: pd.DataFrame) -> str:
    """Return a table for each network, with a row for each number of training images. points: as of `read_points`."""
    first = points.iloc[0]
    heading = f"With 95 % intervals, on the {first['images']:,} held-out images of the {first['split']} split:"
    tables = [f"{network}:\n\n{_table(part)}" for network, part in points.groupby("backbone", sort=False)]
    return "\n\n".join([heading, *tables])


def _table(points: pd.DataFrame) -> str:
    measured: dict[Any, Any] = {(row.experiment, row.task, row.metric): row for row in points.itertuples()}
    shown = [(task, metric) for task, metric in METRICS if ((points.task == task) & (points.metric == metric)).any()]
    sizes = points.drop_duplicates("experiment").set_index("experiment")["training_images"]
    rows = [
        [f"{n_images:,}", *(_cell(measured.get((experiment, *name))) for name in shown)]
        for experiment, n_images in sizes.items()
    ]
    return format_table(["training images", *(" ".join(name) for name in shown)], rows)


def _cell(row: Any) -> str:
    if row is None:
        return "undefined"
    interval = None if pd.isna(row.low) else (row.low, row.high)
    return format_estimate(row.value, interval)
