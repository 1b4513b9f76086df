"""The results of a run, as it has left them in metrics/, and what a reader concludes from them."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from affect.core.labels import TASKS
from affect.evaluation.comparison import TIE
from affect.plumbing.errors import InputError

LABELS = {
    "accuracy": "accuracy",
    "f1": "F1",
    "cohen_kappa": "Cohen's kappa",
    "krippendorff_alpha": "Krippendorff's alpha",
    "auc_roc": "AUC-ROC",
    "auc_pr": "AUC-PR",
    "rmse": "RMSE",
    "corr": "CORR",
    "sagr": "SAGR",
    "ccc": "CCC",
    "mae": "MAE",
    "r2": "R²",
    "parameters": "parameters",
    "trainable_parameters": "of which trained",
    "size_mb": "size of the file, MB",
}
CLASS_LABELS = {
    "images": "images",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "valence_mae": "valence MAE",
    "arousal_mae": "arousal MAE",
}
# The tables of metrics/plots that the page draws.
PLOTS = ("confusion", "roc", "precision_recall", "circumplex", "reliability")


@dataclass(frozen=True)
class Results:
    """What a run has left in metrics/: evaluate.json, prepare.json, each network's training metrics, plots/*.csv."""

    evaluate: dict[str, Any]
    prepare: dict[str, Any]
    train: dict[str, dict[str, Any]]
    plots: dict[str, pd.DataFrame]

    @property
    def networks(self) -> list[str]:
        """The networks' names, in the order of params.yaml."""
        return _networks(self.evaluate)

    def metrics(self) -> list[tuple[str, str]]:
        """Return task and name of each metric that a network has, in order."""
        return [
            (task, name)
            for task in TASKS
            for name in LABELS
            if any(name in self.evaluate[network].get(task, {}) for network in self.networks)
        ]

    def better(self, task: str, metric: str) -> str:
        """Return the network that is better than each other one in a metric, or "tie"."""
        wins = Counter(
            comparison["verdict"]
            for comparison in self.evaluate["comparison"]
            if (comparison["task"], comparison["metric"]) == (task, metric)
        )
        return next((network for network in self.networks if wins[network] == len(self.networks) - 1), TIE)

    def smallest(self, cost: str) -> str:
        """Return the network that costs least, or "tie"."""
        costs = {network: self.evaluate["cost"][network][cost] for network in self.networks}
        cheapest = [network for network, value in costs.items() if value == min(costs.values())]
        return cheapest[0] if len(cheapest) == 1 else TIE

    def score(self) -> dict[tuple[str, str], Counter[str]]:
        """Count the verdicts of each pair of networks."""
        score: dict[tuple[str, str], Counter[str]] = {}
        for comparison in self.evaluate["comparison"]:
            pair = comparison["first"], comparison["second"]
            score.setdefault(pair, Counter())[comparison["verdict"]] += 1
        return score

    def class_labels(self) -> dict[str, str]:
        """Return name and label of each number that a network has for an expression."""
        known = {name for network in self.networks for entry in self.evaluate[network]["classes"] for name in entry}
        return {name: label for name, label in CLASS_LABELS.items() if name in known}

    def notes(self) -> dict[str, list[str]]:
        """Return each note on what is undefined and why, with the networks that it holds for."""
        notes: dict[str, list[str]] = {}
        for network in self.networks:
            for note in self.evaluate[network]["notes"]:
                notes.setdefault(note, []).append(network)
        return notes


def _networks(evaluate: dict[str, Any]) -> list[str]:
    return [name for name, result in evaluate.items() if isinstance(result, dict) and "emotion" in result]


def read_results(metrics: Path) -> Results:
    """Read a run's results from the folder `metrics`. Raises InputError for a file that is not there."""
    try:
        evaluate = json.loads((metrics / "evaluate.json").read_text(encoding="utf-8"))
        prepare = json.loads((metrics / "prepare.json").read_text(encoding="utf-8"))
        train = {
            network: json.loads((metrics / "train" / network / "metrics.json").read_text(encoding="utf-8"))
            for network in _networks(evaluate)
        }
        curves = {network: pd.read_csv(metrics / "train" / network / "curves.csv") for network in train}
        plots = {"curves": pd.concat(curves, names=["backbone"]).reset_index(level=0)}
        plots |= {name: pd.read_csv(metrics / "plots" / f"{name}.csv") for name in PLOTS}
    except OSError as error:
        raise InputError(f"{error.filename}: {error.strerror}; run dvc repro first") from None
    except ValueError as error:
        raise InputError(f"{metrics}: damaged ({error}); run dvc repro --force evaluate") from None
    return Results(evaluate, prepare, train, plots)
