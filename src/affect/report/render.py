"""The report of a run, as Markdown and as one HTML page that needs nothing else."""

import base64
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from affect.evaluation.comparison import TIE
from affect.plumbing.errors import InputError
from affect.report.plots import draw_all
from affect.report.provenance import package_versions

TEMPLATES = Path(__file__).parent / "templates"
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
PLOTS = ("curves", "confusion", "roc", "precision_recall", "circumplex", "reliability")


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


def _networks(evaluate: dict[str, Any]) -> list[str]:
    return [name for name, result in evaluate.items() if isinstance(result, dict)]


def read_results(metrics: Path) -> Results:
    """Read a run's results from the folder `metrics`. Raises InputError for a file that is not there."""
    try:
        evaluate = json.loads((metrics / "evaluate.json").read_text(encoding="utf-8"))
        prepare = json.loads((metrics / "prepare.json").read_text(encoding="utf-8"))
        train = {
            network: json.loads((metrics / "train" / network / "metrics.json").read_text(encoding="utf-8"))
            for network in _networks(evaluate)
        }
        plots = {name: pd.read_csv(metrics / "plots" / f"{name}.csv") for name in PLOTS}
    except OSError as error:
        raise InputError(f"{error.filename}: {error.strerror}; run dvc repro first") from None
    return Results(evaluate, prepare, train, plots)


@dataclass(frozen=True)
class Unlocked:
    """What differs at each run, or may not leave the machine: costs of the last training here, pictures of errors."""

    timing: dict[str, dict[str, float]]
    pictures: dict[str, Path]


def render_markdown(results: Results, parameters: dict[str, Any]) -> str:
    """Return the summary: the table of metrics with intervals and verdicts, costs and differences."""
    return _render("report.md.j2", results, parameters, None, None)


def render_html(
    results: Results, parameters: dict[str, Any], dataset_hash: str | None, unlocked: Unlocked | None = None
) -> str:
    """Return the whole report as one self-contained page.

    parameters: params.yaml. dataset_hash: as provenance.dataset_hash returns it. Without `unlocked` the page is
    the same for the same results.
    """
    return _render("report.html.j2", results, parameters, dataset_hash, unlocked)


def _render(
    template: str,
    results: Results,
    parameters: dict[str, Any],
    dataset_hash: str | None,
    unlocked: Unlocked | None,
) -> str:
    html = ".html" in template
    facts = {
        "evaluate": results.evaluate,
        "prepare": results.prepare,
        "train": results.train,
        "timing": unlocked.timing if unlocked else {},
    }
    files = unlocked.pictures if unlocked else {}
    pictures = {network: _data_uri(file.read_bytes(), "png") for network, file in files.items()}
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["code"] = _mark_code
    environment.globals |= {"figure": _Figures(facts, html), "LABELS": LABELS, "TIE": TIE}
    return environment.get_template(template).render(
        results=results,
        networks=results.networks,
        metrics=_metrics(results),
        better={metric: _better(results, *metric) for metric in _metrics(results)},
        smallest={cost: _smallest(results, cost) for cost in ("parameters", "trainable_parameters", "size_mb")},
        score=_score(results),
        class_labels=_class_labels(results),
        notes=_notes(results),
        parameters=parameters,
        settings=_flatten(parameters),
        dataset_hash=dataset_hash,
        versions=package_versions(),
        plots=[(plot.caption, _data_uri(plot.svg.encode(), "svg+xml")) for plot in draw_all(results.plots)]
        if html
        else [],
        unlocked=unlocked,
        pictures=pictures,
    )


class _Figures:
    """Writes a figure of the results by its path, so that none can be written that is not there."""

    def __init__(self, facts: Mapping[str, Any], html: bool) -> None:
        self.facts = facts
        self.html = html

    def __call__(self, *path: str | int, digits: int = 3) -> str:
        value: Any = self.facts
        for part in path:
            value = value[part]
        text = f"{value:,}" if isinstance(value, int) else f"{value:.{digits}f}"
        if not self.html:
            return text
        return Markup('<span data-figure="{}">{}</span>').format(".".join(map(str, path)), text.replace("-", "−"))


def _metrics(results: Results) -> list[tuple[str, str]]:
    """Return task and name of each metric that a network has, in order."""
    return [
        (task, name)
        for task in ("emotion", "valence", "arousal")
        for name in LABELS
        if any(name in results.evaluate[network].get(task, {}) for network in results.networks)
    ]


def _better(results: Results, task: str, metric: str) -> str:
    """Return the network that is better than each other one in a metric, or "tie"."""
    wins = Counter(
        comparison["verdict"]
        for comparison in results.evaluate["comparison"]
        if (comparison["task"], comparison["metric"]) == (task, metric)
    )
    return next((network for network in results.networks if wins[network] == len(results.networks) - 1), TIE)


def _smallest(results: Results, cost: str) -> str:
    """Return the network that costs least, or "tie"."""
    costs = {network: results.evaluate[network]["cost"][cost] for network in results.networks}
    cheapest = [network for network, value in costs.items() if value == min(costs.values())]
    return cheapest[0] if len(cheapest) == 1 else TIE


def _score(results: Results) -> dict[tuple[str, str], Counter[str]]:
    """Count the verdicts of each pair of networks."""
    score: dict[tuple[str, str], Counter[str]] = {}
    for comparison in results.evaluate["comparison"]:
        pair = comparison["first"], comparison["second"]
        score.setdefault(pair, Counter())[comparison["verdict"]] += 1
    return score


def _class_labels(results: Results) -> dict[str, str]:
    """Return name and label of each figure that a network has for an expression."""
    known = {name for network in results.networks for entry in results.evaluate[network]["classes"] for name in entry}
    return {name: label for name, label in CLASS_LABELS.items() if name in known}


def _notes(results: Results) -> dict[str, list[str]]:
    """Return what is not defined and why, each with the networks that it holds for."""
    notes: dict[str, list[str]] = {}
    for network in results.networks:
        for note in results.evaluate[network]["notes"]:
            notes.setdefault(note, []).append(network)
    return notes


def _flatten(parameters: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested parameters by their dotted names."""
    flat: dict[str, Any] = {}
    for name, value in parameters.items():
        flat |= _flatten(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat


def _mark_code(text: str) -> Markup:
    return Markup(re.sub("`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _data_uri(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
