"""From the networks' predictions to metrics/evaluate.json."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

from affect.core.labels import EXPRESSIONS, VALENCE_AROUSAL
from affect.core.predictions import DECIMALS, PROBABILITIES
from affect.evaluation.bootstrap import BootstrapEstimate, bootstrap
from affect.evaluation.comparison import compare, mcnemar
from affect.evaluation.error_analysis import expected_calibration_error, most_confused, per_class
from affect.evaluation.groups.division import Group
from affect.evaluation.groups.results import evaluate_groups
from affect.evaluation.metrics import EXPRESSION_METRICS, PROBABILITY_METRICS, VA_METRICS, UndefinedMetricError
from affect.evaluation.resampled_metrics import ResampledMetrics


def evaluate(
    tables: Mapping[str, pd.DataFrame],
    resamples: int,
    seed: int,
    calibration_bins: int,
    groups: Sequence[Group] = (),
) -> dict:
    """Return all results of the networks, by network, then their calibration and comparison.

    `dvc exp show` has a column for each number in this order, and cuts the last, so the twelve metrics come first.

    tables: by network, predictions of the same images in the same rows, with the columns of
    affect.core.predictions.COLUMNS. Valence and arousal are evaluated where annotated. groups: of the same images.
    """
    resampled = {network: ResampledMetrics(table) for network, table in tables.items()}

    def compute(counts: np.ndarray) -> dict[tuple[str, str, str], np.ndarray]:
        return {
            (network, *metric): values
            for network, metrics in resampled.items()
            for metric, values in metrics(counts).items()
        }

    estimates = bootstrap(compute, len(next(iter(tables.values()))), resamples, seed)
    results: dict = {}
    for network, table in tables.items():
        metrics, notes = evaluate_predictions(table)
        results[network] = {
            **metrics,
            "intervals": intervals(network, metrics, estimates, notes),
            "classes": per_class(table),
            "confused": most_confused(table),
            "notes": notes,
            # In a list, whose numbers make no columns of `dvc exp show`.
            "groups": evaluate_groups(table, groups, resamples, seed),
        }
    calibration = {
        network: {"ece": round(expected_calibration_error(table, calibration_bins), DECIMALS)}
        for network, table in tables.items()
    }
    return results | {
        "calibration": calibration,
        "comparison": compare(list(tables), estimates),
        "mcnemar": mcnemar(tables),
    }


def evaluate_ways(tables: Mapping[str, pd.DataFrame], resamples: int, seed: int, calibration_bins: int) -> dict:
    """Return the results on images that may lack some of the expressions, as `evaluate` does, in up to two ways.

    "free": the networks may answer any of the eight; "limited", where some are lacking: any of those that the images
    have. `classes` names the latter. F1 and both AUCs are means over them in both ways.
    """
    present = np.unique(next(iter(tables.values()))["expression"])
    results = {
        "classes": [EXPRESSIONS[expression] for expression in present],
        "free": evaluate(tables, resamples, seed, calibration_bins),
    }
    if len(present) < len(EXPRESSIONS):
        limited = {network: limit_to(table, present) for network, table in tables.items()}
        results["limited"] = evaluate(limited, resamples, seed, calibration_bins)
    return results


def limit_to(table: pd.DataFrame, expressions: np.ndarray) -> pd.DataFrame:
    """Return predictions whose probabilities of other expressions are 0, and those of these sum to 1 again.

    expressions: (some,) int, 0-7. Where they have no probability at all, they are equally probable.
    """
    allowed = np.isin(np.arange(len(EXPRESSIONS)), expressions)
    probabilities = table[PROBABILITIES].to_numpy() * allowed
    totals = probabilities.sum(axis=1, keepdims=True)
    shares = np.divide(probabilities, totals, out=np.tile(allowed / allowed.sum(), (len(table), 1)), where=totals > 0)
    limited = pd.DataFrame(shares, columns=PROBABILITIES, index=table.index)
    # Before they are rounded nothing but a tie makes two alike. Others than the allowed ones are never chosen.
    chosen = np.where(allowed, shares, -1).argmax(axis=1)
    return table.assign(**limited.round(DECIMALS), predicted_expression=chosen)


def intervals(
    network: str,
    metrics: Mapping[str, Mapping[str, float]],
    estimates: Mapping[tuple[str, str, str], BootstrapEstimate],
    notes: list[str],
) -> dict[str, dict[str, list[float]]]:
    """Return the 95 % interval of each of a network's metrics; notes say where the resamples don't give one."""
    found: dict[str, dict[str, list[float]]] = {}
    for task, names in metrics.items():
        found[task] = {}
        for name in names:
            interval = estimates[network, task, name].interval()
            if interval is None:
                notes.append(f"{task}.{name}: no interval, it is undefined in too many resamples")
            elif interval[0] == interval[1]:
                notes.append(f"{task}.{name}: no interval, it is the same in all resamples")
            else:
                found[task][name] = [round(bound, DECIMALS) for bound in interval]
    return found


def evaluate_predictions(table: pd.DataFrame) -> tuple[dict[str, dict[str, float]], list[str]]:
    """Return the metrics of a predictions table by task, and notes on what the data could not define.

    The table has the columns of affect.core.predictions.COLUMNS; valence and arousal are evaluated where annotated.
    """
    truth, predicted = table["expression"].to_numpy(), table["predicted_expression"].to_numpy()
    probabilities = table[PROBABILITIES].to_numpy()
    notes = [f"emotion: no image is {EXPRESSIONS[absent]}" for absent in set(range(8)) - set(truth)]
    results = {
        "emotion": _compute("emotion", EXPRESSION_METRICS, truth, predicted, notes)
        | _compute("emotion", PROBABILITY_METRICS, truth, probabilities, notes)
    }
    for task in VALENCE_AROUSAL:
        annotated = table[[task, f"predicted_{task}"]].dropna().to_numpy()
        if len(annotated):
            results[task] = _compute(task, VA_METRICS, annotated[:, 0], annotated[:, 1], notes)
        else:
            notes.append(f"{task}: not annotated, or not learnt")
    return results, notes


def _compute(
    task: str,
    metrics: Mapping[str, Callable[[np.ndarray, np.ndarray], float]],
    truth: np.ndarray,
    prediction: np.ndarray,
    notes: list[str],
) -> dict[str, float]:
    results = {}
    for name, metric in metrics.items():
        try:
            results[name] = metric(truth, prediction)
        except UndefinedMetricError as undefined:
            notes.append(f"{task}.{name}: {undefined}")
    return results
