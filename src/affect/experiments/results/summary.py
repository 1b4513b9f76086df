"""The result of a sweep as a Markdown table: over seeds and folds, or its experiments side by side."""

from collections.abc import Sequence

import pandas as pd

from affect.experiments.reading import Experiment
from affect.experiments.results.markdown import format_table
from affect.experiments.sweep.plan import Run

# The last names of the parameters whose values are as good as each other.
REPETITIONS = ("seed", "fold")


def summarise(runs: Sequence[Run], names: Sequence[str]) -> str:
    """Return mean and standard deviation over the runs that differ in seeds or folds alone, or each run's metrics.

    names: the parameters that the sweep is over. The deviation is a sample's, with n - 1.
    """
    swept = [name for name in names if len({str(run.params[name]) for run, _ in runs}) > 1]
    seeds = [name for name in swept if name.split(".")[-1] in REPETITIONS]
    others = [name for name in swept if name not in seeds]
    if not seeds:
        columns = {
            f"{run.label}: {' '.join(f'{name}={combination.params[name]}' for name in swept)}".removesuffix(": "): [run]
            for combination, run in runs
        }
        return _table(columns, "The experiments' metrics:")
    groups: dict[str, list[Experiment]] = {}
    for combination, experiment in runs:
        group = " ".join(f"{name}={combination.params[name]}" for name in others)
        groups.setdefault(group, []).append(experiment)
    counts = [f"{_count(group)}{name and f' of {name}'}, {_list_seeds(group, seeds)}" for name, group in groups.items()]
    return _table(groups, f"Mean ± standard deviation over {'; '.join(counts)}:")


def _count(group: Sequence[Experiment]) -> str:
    return f"{len(group)} run{'' if len(group) == 1 else 's'}"


def _list_seeds(group: Sequence[Experiment], seeds: Sequence[str]) -> str:
    return ", ".join(f"{name} {', '.join(str(run.params[name]) for run in group)}" for name in seeds)


def _table(columns: dict[str, list[Experiment]], heading: str) -> str:
    """Networks stand side by side where there is one column, else below each other."""
    cells = pd.DataFrame({name: _summarise(group) for name, group in columns.items()})
    if len(cells.columns) == 1:
        networks = list(dict.fromkeys(network for network, _, _ in cells.index))
        cells = cells.iloc[:, 0].unstack(level=0, sort=False)[networks]
    names = [" ".join(name) for name in cells.index]
    rows = [[name, *row] for name, row in zip(names, cells.fillna("undefined").to_numpy(), strict=True)]
    return f"{heading}\n\n{format_table(['metric', *cells.columns], rows)}"


def _summarise(group: Sequence[Experiment]) -> pd.Series:
    metrics = pd.DataFrame([run.require_metrics() for run in group]).T
    metrics.index = pd.MultiIndex.from_tuples(metrics.index)
    found = zip(metrics.mean(axis=1), metrics.std(axis=1), metrics.count(axis=1), strict=True)
    return pd.Series([_cell(*each, len(group)) for each in found], metrics.index)


def _cell(mean: float, deviation: float, defined: int, runs: int) -> str:
    if not defined:
        return "undefined"
    cell = f"{mean:z.3f}" if pd.isna(deviation) else f"{mean:z.3f} ± {deviation:.3f}"
    return cell if defined == runs else f"{cell} ({defined} of {runs})"
