"""What each piece of a recipe carries: the metrics with all of them, and what taking one away changes."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from affect.core.labels import VALENCE_AROUSAL
from affect.evaluation.groups.sides import METRICS
from affect.evaluation.results import evaluate
from affect.experiments.reading import Experiment, read_predictions
from affect.experiments.results.markdown import format_estimate, format_table
from affect.experiments.results.pooling import pool_predictions
from affect.plumbing.errors import InputError

# By which predictions are of the same images with the same labels.
TRUTH = ["id", "expression", *VALENCE_AROUSAL]


def show_pieces(variants: Mapping[str, Sequence[Experiment]], alone: Mapping[str, str]) -> str:
    """Return a table for each network: the metrics of the first variant, then what each other one changes.

    variants: by name, an experiment, or one for each fold, whose predictions are then pooled. alone: the task of a
    variant that learns no other. Raises InputError as `pool_predictions` does, and for variants of other images.
    """
    tables = {name: read_variant(experiments) for name, experiments in variants.items()}
    experiments = next(iter(variants.values()))
    settings = experiments[0].params
    of = f"{len(experiments)} folds, pooled" if len(experiments) > 1 else "one training each"
    heading = (
        f"Change of each metric, with 95 % intervals of paired differences on the same images ({of}); bold where the "
        f"interval leaves 0 out:"
    )
    return "\n\n".join(
        [heading]
        + [
            f"{network}:\n\n{_table({name: found[network] for name, found in tables.items()}, alone, settings)}"
            for network in experiments[0].networks
        ]
    )


def read_variant(experiments: Sequence[Experiment]) -> dict[str, pd.DataFrame]:
    """Return each network's predictions of all images that the experiments held out, sorted by id."""
    if len(experiments) > 1:
        return pool_predictions(experiments)
    (experiment,) = experiments
    return {
        network: read_predictions(experiment.revision, network).sort_values("id", ignore_index=True)
        for network in experiment.networks
    }


def _table(tables: Mapping[str, pd.DataFrame], alone: Mapping[str, str], settings: Mapping[str, Any]) -> str:
    full, *others = tables
    for name in others:
        if not tables[name][TRUTH].equals(tables[full][TRUTH]):
            raise InputError(f"{name} held out other images than {full}, or has other labels, so nothing can be paired")
    results = evaluate(tables, *(settings[f"evaluate.{name}"] for name in ("bootstrap", "seed", "calibration_bins")))
    shown = [(task, metric) for task, metric in METRICS if metric in results[full].get(task, {})]
    changes = {
        (entry["second"], entry["task"], entry["metric"]): entry
        for entry in results["comparison"]
        if entry["first"] == full
    }
    rows = [[full, *(_value(results[full], *metric) for metric in shown)]]
    for name in others:
        learnt = [alone.get(name, task) == task for task, _ in shown]
        cells = (_change(changes.get((name, *metric))) for metric in shown)
        rows.append([name, *(cell if known else "not learnt" for cell, known in zip(cells, learnt, strict=True))])
    return format_table(["", *(" ".join(name) for name in shown)], rows)


def _value(result: Mapping[str, Any], task: str, metric: str) -> str:
    return format_estimate(result[task][metric], result["intervals"][task].get(metric))


def _change(entry: Mapping[str, Any] | None) -> str:
    """Return what the second network has more than the first, as `format_estimate` writes it."""
    if entry is None:
        return "undefined"
    low, high = entry["interval"]
    shown = format_estimate(-entry["difference"], (-high, -low))
    return f"**{shown}**" if low > 0 or high < 0 else shown
