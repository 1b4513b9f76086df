"""Out-of-fold predictions: each image as the experiment predicted it that held its fold out of training."""

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from affect.evaluation.results import evaluate
from affect.experiments.reading import Experiment, read_predictions
from affect.plumbing import paths
from affect.plumbing.errors import InputError

# A fold is the test split of its experiment.
HELD_OUT = "test"


@dataclass(frozen=True)
class Pooled:
    """The metrics of the pooled predictions of all folds."""

    networks: list[str]
    n_images: int
    n_folds: int
    # Of the images, for the intervals.
    resamples: int
    # As affect.evaluation.results.evaluate returns them.
    results: dict[str, Any]


def evaluate_pooled(experiments: Sequence[Experiment]) -> Pooled:
    """Compute the metrics of each network's pooled predictions, with intervals and the paired comparison.

    experiments: one for each fold, otherwise of the same parameters, those of section `evaluate` among them. Raises
    InputError as `pool_predictions` does.
    """
    tables = pool_predictions(experiments)
    params = experiments[0].params
    resamples = params["evaluate.bootstrap"]
    results = evaluate(tables, resamples, params["evaluate.seed"], params["evaluate.calibration_bins"])
    return Pooled(list(tables), len(next(iter(tables.values()))), len(experiments), resamples, results)


def pool_predictions(experiments: Sequence[Experiment]) -> dict[str, pd.DataFrame]:
    """Return each network's predictions of all images, sorted by id, with the columns of core.predictions.

    Raises InputError that names the experiment where an image is not in exactly one fold's held-out predictions.
    """
    splits = {experiment.label: _read_split(experiment) for experiment in experiments}
    _require_folds(splits)
    return {network: _pool(network, experiments, splits) for network in experiments[0].networks}


def _read_split(experiment: Experiment) -> pd.Series:
    """Return the split of each image of an experiment, by id, where it was its fold that it was evaluated on."""
    label = experiment.label
    evaluated = json.loads(experiment.read_file(paths.EVALUATE_METRICS))["split"]
    if evaluated != HELD_OUT:
        raise InputError(f"{label} was evaluated on its {evaluated} split, which is no fold; {_remedy(label)}")
    text = experiment.read_file(paths.SPLIT_LIST)
    split = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False).set_index("id")["split"]
    _refuse_first(split.index[split.index.duplicated()], f"{label} lists", f"twice in {paths.SPLIT_LIST}", label)
    return split


def _require_folds(splits: dict[str, pd.Series]) -> None:
    """Raise InputError unless each image that an experiment knows is held out by one of them, and by no other."""
    holder: dict[str, str] = {}
    for label, split in splits.items():
        for image in split.index[split == HELD_OUT]:
            if image in holder:
                raise InputError(f"{label} and {holder[image]} both hold out {image!r}; {_remedy(label)}")
            holder[image] = label
    for label, split in splits.items():
        _refuse_first(split.index.difference(list(holder)), f"{label} has the image", "which no fold holds out", label)


def _pool(network: str, experiments: Sequence[Experiment], splits: dict[str, pd.Series]) -> pd.DataFrame:
    tables = []
    for experiment in experiments:
        label, split = experiment.label, splits[experiment.label]
        table = read_predictions(experiment.revision, network)
        held_out = split.index[split == HELD_OUT]
        ids = pd.Index(table["id"])
        file = paths.PREDICTIONS / f"{network}.csv"
        _refuse_first(ids[ids.duplicated()], f"{label} predicts", f"twice in {file}", label)
        _refuse_first(ids.difference(held_out), f"{label} predicts", f"in {file}, and does not hold it out", label)
        _refuse_first(held_out.difference(ids), f"{label} holds out", f"and does not predict it in {file}", label)
        tables.append(table)
    return pd.concat(tables).sort_values("id", ignore_index=True)


def _refuse_first(images: pd.Index, before: str, after: str, label: str) -> None:
    if len(images):
        more = f" (and {len(images) - 1} more)" if len(images) > 1 else ""
        raise InputError(f"{before} {images[0]!r}{more} {after}; {_remedy(label)}")


def _remedy(label: str) -> str:
    return f"`dvc exp remove {label}`, and the same command runs it again"
