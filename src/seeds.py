"""Print each metric's mean and deviation over experiments: `dvc exp show --json | python src/seeds.py seeds`.

The argument is what the experiments' names begin with.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Any

import pandas as pd

from affect.core.labels import TASKS
from affect.plumbing.errors import InputError
from affect.plumbing.stage import run_command


def main() -> None:
    """Run the command."""
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("prefix", help="of the experiments' names")
    prefix = command.parse_args().prefix
    runs = dict(list_experiments(json.load(sys.stdin), prefix))
    if len(runs) < 2:
        raise InputError(f"{len(runs)} experiments are called {prefix}...; a deviation needs two (see dvc exp show)")
    metrics = pd.DataFrame({name: read_metrics(name, data) for name, data in runs.items()})
    seeds = sorted(data["params"]["params.yaml"]["data"]["train"]["seed"] for data in runs.values())
    print(f"Mean ± standard deviation over {len(runs)} runs, train.seed {', '.join(map(str, seeds))}:\n")
    print_table(metrics)


def list_experiments(shown: list[dict[str, Any]], prefix: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield name and data of each experiment that DVC shows under such a name.

    Raises InputError for one that has not succeeded: DVC shows it with the metrics of what it was to begin from.
    """
    for experiment in (experiment for baseline in shown for experiment in baseline["experiments"] or []):
        run, task = experiment["revs"][0], experiment["executor"]
        name = run["name"] or ""
        if name.startswith(prefix):
            if task is not None and task["state"] != "success":
                drop = f"dvc queue logs {name} says more, dvc queue remove {name} drops it"
                raise InputError(f"{name} is {task['state']}, so it has no metrics of its own; {drop}")
            yield name, run["data"]


def read_metrics(name: str, data: dict[str, Any]) -> dict[tuple[str, str, str], float]:
    """Return an experiment's metrics by (task, metric, network)."""
    results = data["metrics"].get("metrics/evaluate.json", {}).get("data")
    if results is None:
        raise InputError(f"{name} has no metrics/evaluate.json")
    return {
        (task, metric, network): value
        for network, tasks in results.items()
        if isinstance(tasks, dict)
        for task in TASKS
        for metric, value in tasks.get(task, {}).items()
    }


def print_table(metrics: pd.DataFrame) -> None:
    """Print a Markdown table of (task, metric, network) rows and a column for each run."""
    summary = pd.DataFrame({"mean": metrics.mean(axis=1), "deviation": metrics.std(axis=1)})
    cells = summary.apply(lambda row: f"{row['mean']:.3f} ± {row['deviation']:.3f}", axis=1).unstack(sort=False)
    print(f"| metric | {' | '.join(cells.columns)} |")
    print("|---" * (1 + len(cells.columns)) + "|")
    names = [" ".join(name) for name in cells.index]
    for name, row in zip(names, cells.fillna("undefined").to_numpy(), strict=True):
        print(f"| {name} | {' | '.join(row)} |")


if __name__ == "__main__":
    run_command(main)
