"""Plan a sweep: the combinations of parameters, and which of them have been run."""

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count, product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from dvc.exceptions import DvcException
from dvc.utils.cli_parse import to_path_overrides
from dvc.utils.hydra import apply_overrides, get_hydra_sweeps, to_hydra_overrides
from hydra.errors import HydraException
from ruamel.yaml import YAML

from affect.experiments.commands import git
from affect.experiments.reading import SUCCESS, Experiment, flatten
from affect.plumbing import paths
from affect.plumbing.errors import InputError
from affect.plumbing.params import load_params

# What an experiment of the same code may change: its parameters, and what DVC records and the stages write.
RESULTS = (str(paths.PARAMS), "*dvc.lock", str(paths.METRICS))


@dataclass(frozen=True)
class Combination:
    """One combination of a sweep: `dvc exp run -S` takes its overrides."""

    overrides: tuple[str, ...]
    # All of params.yaml, by dotted names.
    params: dict[str, Any]

    @property
    def key(self) -> str:
        """A name of the parameters, for files."""
        return hashlib.sha256(json.dumps(self.params, sort_keys=True).encode()).hexdigest()[:12]

    def __str__(self) -> str:
        return " ".join(self.overrides)


# An experiment that has succeeded, after the combination that it is of.
Run = tuple[Combination, Experiment]


def plan_sweep(overrides: Sequence[str], params: Path = paths.PARAMS) -> list[Combination]:
    """Return every combination of the overrides, which are in the syntax of `dvc exp run -S`: `train.seed=1,2,3`.

    Raises InputError for a parameter or a value that params.yaml may not have, before anything runs.
    """
    load_params(params)
    files = to_path_overrides(overrides)
    if set(files) != {str(paths.PARAMS)}:
        raise InputError(f"a sweep is over parameters of {paths.PARAMS}; other files are not supported")
    try:
        sweeps = [sweep[str(paths.PARAMS)] for sweep in get_hydra_sweeps(files)]
    except (DvcException, HydraException) as error:
        raise _refusal(overrides, error) from None
    if not sweeps:
        raise InputError(f"-S {' -S '.join(overrides)}: no combination of values")
    combinations = [Combination(tuple(sweep), _override(params, sweep)) for sweep in sweeps]
    return list({combination.key: combination for combination in combinations}.values())


def plan_variants(
    varied: Mapping[str, Sequence[float]], overrides: Sequence[str], params: Path = paths.PARAMS
) -> list[Combination]:
    """Return every combination of the values of the `varied` parameters, to each of which the overrides apply.

    Raises InputError as `plan_sweep` does, and where an override has several values, or sets what is varied.
    """
    swept = [f"{name}={','.join(map(str, values))}" for name, values in varied.items()]
    planned = plan_sweep([*swept, *overrides], params)
    if [tuple(each.params[name] for name in varied) for each in planned] != list(product(*varied.values())):
        given, names = " -S ".join(overrides), " or ".join(varied)
        none_for = f", and none for {names}" if names else ""
        raise InputError(f"-S {given}: give one value for each parameter{none_for}")
    return planned


def swept_names(overrides: Sequence[str]) -> list[str]:
    """Return the names of the parameters of params.yaml that the overrides set."""
    return [override.key_or_group for override in to_hydra_overrides(to_path_overrides(overrides)[str(paths.PARAMS)])]


def find_run(combination: Combination, experiments: Iterable[Experiment]) -> Experiment | None:
    """Return the experiment that has succeeded with these parameters and with the code of its baseline, or None."""
    for experiment in experiments:
        if experiment.state == SUCCESS and experiment.is_experiment and experiment.params == combination.params:
            excluded = [f":(exclude){path}" for path in RESULTS]
            if not git("diff", "--name-only", experiment.baseline, experiment.revision, "--", ".", *excluded):
                return experiment
    return None


def choose_names(prefix: str, positions: Iterable[int], taken: Iterable[str]) -> list[str]:
    """Return {prefix}-{position} for each position, or the next number that no experiment has taken."""
    used, names = set(taken), []
    for position in positions:
        name = next(name for number in count(position) if (name := f"{prefix}-{number}") not in used)
        used.add(name)
        names.append(name)
    return names


@contextmanager
def overridden(params: Path, overrides: Sequence[str]) -> Iterator[Path]:
    """Yield a copy of a file of parameters, with overrides as `dvc exp run -S` takes them, and checked.

    Raises InputError for a parameter or a value that params.yaml may not have.
    """
    with TemporaryDirectory() as folder:
        copy = Path(folder) / paths.PARAMS.name
        shutil.copy(params, copy)
        try:
            apply_overrides(copy, list(overrides))
        except DvcException as error:
            raise _refusal(overrides, error) from None
        try:
            load_params(copy)
        except InputError as error:
            raise InputError(str(error).replace(str(copy), " ".join(overrides), 1)) from None
        yield copy


def _override(params: Path, overrides: list[str]) -> dict[str, Any]:
    with overridden(params, overrides) as copy:
        return flatten(YAML(typ="safe", pure=True).load(copy))


def _refusal(overrides: Sequence[str], error: Exception) -> InputError:
    said = str(error.__cause__ or error).strip().splitlines()[0].rstrip(".")
    return InputError(f"-S {' -S '.join(overrides)}: {said}; parameters and their names are in {paths.PARAMS}")
