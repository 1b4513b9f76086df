"""The pooled out-of-fold metrics as Markdown: each network's with intervals, and which network is better."""

from collections.abc import Iterator, Sequence
from typing import Any

from affect.core.labels import TASKS
from affect.evaluation.comparison import count_digits
from affect.experiments.results.markdown import format_estimate, format_table, in_blocks
from affect.experiments.results.pooling import Pooled

# So many fit into 120 columns.
NETWORKS_PER_TABLE = 3
SMALLEST_P = 0.001


def show_pooled(pooled: Pooled) -> str:
    """Return the tables of metrics and of paired differences, and notes on what is undefined."""
    blocks = in_blocks(pooled.networks, NETWORKS_PER_TABLE)
    return "\n\n".join(
        [
            f"Pooled out-of-fold predictions: each of {pooled.n_images:,} images as the training predicted it that did "
            f"not\nhave its fold, {pooled.n_folds} trainings in all. The brackets hold 95 % intervals, from "
            f"{pooled.resamples} resamples of the images:",
            *(_show_metrics(pooled.results, block) for block in blocks),
            *_show_differences(pooled.results),
            *_show_notes(pooled.results, pooled.networks),
        ]
    )


def _show_metrics(results: dict[str, Any], networks: Sequence[str]) -> str:
    named = [(task, metric) for network in networks for task in TASKS for metric in results[network].get(task, {})]
    names = sorted(dict.fromkeys(named), key=lambda name: TASKS.index(name[0]))
    return format_table(
        ["metric", *networks],
        [[f"{task} {metric}", *(_show(results[each], task, metric) for each in networks)] for task, metric in names],
    )


def _show(result: dict[str, Any], task: str, metric: str) -> str:
    interval = result["intervals"].get(task, {}).get(metric)
    return format_estimate(result.get(task, {}).get(metric), interval)


def _show_differences(results: dict[str, Any]) -> Iterator[str]:
    """Yield the paired differences with their verdicts, and McNemar's tests, if there are two networks."""
    if not results["comparison"]:
        return
    rows = [
        [
            f"{entry['task']} {entry['metric']}",
            f"{entry['first']} - {entry['second']}",
            format_estimate(entry["difference"], entry["interval"], count_digits(entry["interval"])),
            entry["verdict"],
        ]
        for entry in results["comparison"]
    ]
    yield "Paired differences on the same images. A network is better where the interval leaves 0 out; else a tie:"
    yield format_table(["metric", "of", "difference", "better"], rows)
    for entry in results["mcnemar"]:
        p = f"p = {entry['p']:.3f}" if entry["p"] >= SMALLEST_P else f"p < {SMALLEST_P}"
        yield (
            f"McNemar's test of accuracy: {entry['only_first_right']} images only {entry['first']} names rightly, "
            f"{entry['only_second_right']} only {entry['second']}; {p}."
        )


def _show_notes(results: dict[str, Any], networks: Sequence[str]) -> Iterator[str]:
    if notes := [f"- {network}: {note}" for network in networks for note in results[network]["notes"]]:
        yield "\n".join(notes)
