"""The results of a run, as it has left them in metrics/, and what a reader concludes from them."""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from affect.core.labels import TASKS
from affect.evaluation.comparison import TIE
from affect.evaluation.groups.sides import METRICS as GROUP_METRICS
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

    def attributes(self) -> dict[str, list[int]]:
        """Return each attribute by which images are grouped, with the places of its groups among all groups."""
        places: dict[str, list[int]] = {}
        for place, group in enumerate(self.evaluate[self.networks[0]]["groups"]):
            places.setdefault(group["attribute"], []).append(place)
        return places

    def group_metrics(self) -> list[tuple[str, str]]:
        """Return task and name of each metric that a group has."""
        groups = [group for network in self.networks for group in self.evaluate[network]["groups"]]
        return [(task, name) for task, name in GROUP_METRICS if any(name in group.get(task, {}) for group in groups)]

    def count_comparisons(self) -> int:
        """Return the most differences of groups that a network has."""
        return max(sum(len(group["differences"]) for group in self.evaluate[name]["groups"]) for name in self.networks)

    def count_unknown(self, attribute: str) -> int:
        """Return of how many images an attribute is not known."""
        groups = self.evaluate[self.networks[0]]["groups"]
        return self.evaluate["images"] - sum(groups[place]["images"] for place in self.attributes()[attribute])

    def differing(self) -> list[dict[str, Any]]:
        """Return each difference of a group by more than chance, with its network, group and the places of both."""
        return [
            {"network": network, "place": place, "number": number}
            | {"attribute": group["attribute"], "group": group["group"]}
            | difference
            for network in self.networks
            for place, group in enumerate(self.evaluate[network]["groups"])
            for number, difference in enumerate(group["differences"])
            if difference["differs"]
        ]

    def direction(self, network: str, place: int, task: str, metric: str) -> str:
        """Return ▼ where a group is worse than the others by more than chance, ▲ where it is better, else nothing."""
        for found in self.evaluate[network]["groups"][place]["differences"]:
            if found["differs"] and (found["task"], found["metric"]) == (task, metric):
                return "▼" if found["difference"] < 0 else "▲"
        return ""

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
