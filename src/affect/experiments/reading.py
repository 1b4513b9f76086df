"""Read experiments: names, parameters, metrics, predictions.

DVC shows an experiment that failed or has not ended with the metrics of what it began from, and a workspace whose
parameters were edited with those of the last run. Neither has metrics here.
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dvc.api
import pandas as pd
from dvc.exceptions import DvcException

from affect.core.labels import TASKS
from affect.experiments.commands import git, head, read_locks, show_experiments, show_file
from affect.experiments.workspaces import list_running
from affect.plumbing import paths
from affect.plumbing.errors import InputError

WORKSPACE = "workspace"
SUCCESS = "success"
# The parameters are not those of the run that made the metrics.
NOT_RUN = "not run"
REFS = "refs/exps"
# Where DVC keeps the queued and the failed ones; the message of each entry names its baseline.
QUEUES = (f"{REFS}/celery/stash", f"{REFS}/celery/failed")

Metric = tuple[str, str, str]


@dataclass(frozen=True)
class Experiment:
    """An experiment, a commit that experiments began from, or the workspace."""

    # The branch of a commit, if any.
    name: str
    revision: str
    # The commit that it began from; a commit's own revision; of the workspace, nothing.
    baseline: str
    # success, queued, running, failed, or not run.
    state: str
    # By their dotted names in params.yaml.
    params: dict[str, Any] = field(default_factory=dict)
    # By (network, task, metric), in the order of metrics/evaluate.json; empty unless the state is success.
    metrics: dict[Metric, float] = field(default_factory=dict)

    @property
    def is_experiment(self) -> bool:
        """Whether this is an experiment, not a commit or the workspace."""
        return self.revision not in (self.baseline, WORKSPACE)

    @property
    def label(self) -> str:
        """The name, or the start of the SHA."""
        return self.name or (WORKSPACE if self.revision == WORKSPACE else self.revision[:7])

    @property
    def networks(self) -> list[str]:
        """The networks that it has metrics of."""
        return list(dict.fromkeys(network for network, _, _ in self.metrics))

    def require_metrics(self) -> dict[Metric, float]:
        """Return the metrics. Raises InputError where there are none of its own."""
        if self.state != SUCCESS:
            raise InputError(f"{self.label} is {self.state}, so it has no metrics of its own (see dvc exp show)")
        return self.metrics

    def read_file(self, file: Path) -> str:
        """Return a text that git tracks, as this experiment has it. Raises InputError where it has none."""
        if (text := show_file(self.revision, file)) is None:
            raise InputError(f"{self.label} has no {file} in git")
        return text


def read_experiments(commits: Iterable[str] = ()) -> list[Experiment]:
    """Return the workspace, then each commit followed by its experiments, in DVC's order.

    commits: SHAs; by default HEAD and, newest first, every other commit that experiments began from. Raises InputError
    elsewhere than in the repository's root.
    """
    if not paths.PARAMS.is_file():
        raise InputError(f"{paths.PARAMS}: no such file; run from the repository's root")
    shown = show_experiments(list(commits) or list_baselines())
    return [experiment for baseline in shown for experiment in _read_baseline(baseline)]


def list_baselines() -> list[str]:
    """Return the SHA of HEAD and, newest first, of every other commit that experiments began from."""
    refs = [line.split("/") for line in git("for-each-ref", "--format=%(refname)", REFS).splitlines()]
    found = {parts[2] + parts[3] for parts in refs if len(parts) == 5 and len(parts[2]) == 2}
    for queue in QUEUES:
        if git("for-each-ref", queue):
            # dvc-exp:{revision}:{baseline}:{name}
            messages = git("log", "--walk-reflogs", "--format=%gs", queue).splitlines()
            found |= {message.split(":")[2] for message in messages if message.count(":") >= 2}
    found |= {baseline for _, baseline, _ in list_running()}
    last = head()
    others = sorted(found - {last})
    return [last, *(git("log", "--no-walk=sorted", "--format=%H", *others).split() if others else [])]


def read_predictions(revision: str, network: str) -> pd.DataFrame:
    """Return a network's predictions at a revision, or in the workspace, as core.predictions has their columns.

    The workspace stays as it is. Raises InputError where there are none.
    """
    file = paths.PREDICTIONS / f"{network}.csv"
    try:
        text = dvc.api.read(str(file), rev=None if revision == WORKSPACE else revision, encoding="utf-8")
    except (DvcException, FileNotFoundError):
        raise InputError(f"{revision} has no {file}") from None
    # An image may be called NA.
    return pd.read_csv(io.StringIO(text), dtype={"id": str}, keep_default_na=False, na_values=[""])


def flatten(params: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested parameters by their dotted names."""
    flat: dict[str, Any] = {}
    for name, value in params.items():
        flat |= flatten(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat


def _read_baseline(shown: dict[str, Any]) -> Iterator[Experiment]:
    baseline = "" if shown["rev"] == WORKSPACE else shown["rev"]
    yield _read(shown["name"] or "", shown, baseline, SUCCESS)
    for experiment in shown["experiments"] or []:
        tip, executor = experiment["revs"][0], experiment["executor"]
        name = tip["name"] or experiment["name"] or ""
        yield _read(name, tip, baseline, executor["state"] if executor else SUCCESS)


def _read(name: str, shown: dict[str, Any], baseline: str, state: str) -> Experiment:
    data = shown["data"] or {"params": {}, "metrics": {}}
    params = flatten(data["params"].get(str(paths.PARAMS), {}).get("data") or {})
    results = data["metrics"].get(str(paths.EVALUATE_METRICS), {}).get("data")
    if state == SUCCESS and (results is None or not _are_of(params, shown["rev"])):
        state = NOT_RUN
    metrics = _read_metrics(results or {}) if state == SUCCESS else {}
    return Experiment(name, shown["rev"], baseline, state, params, metrics)


def _read_metrics(results: dict[str, Any]) -> dict[Metric, float]:
    return {
        (network, task, metric): value
        for network, tasks in results.items()
        if isinstance(tasks, dict)
        for task in TASKS
        for metric, value in tasks.get(task, {}).items()
    }


def _are_of(params: dict[str, Any], revision: str) -> bool:
    """Whether the stage that wrote the metrics, and all that it depends on, last ran with these parameters."""
    stages = read_locks(None if revision == WORKSPACE else revision)
    reached = [stage for stage in stages if _writes_metrics(stage)]
    for stage in reached:
        recorded = flatten(stage.get("params", {}).get(str(paths.PARAMS), {}))
        # YAML 1.1 takes 1e-05, as DVC writes it, for a text.
        if any(name not in params or str(params[name]) != str(value) for name, value in recorded.items()):
            return False
        # Whatever a folder holds beside: there lies what networks have left that are no longer trained.
        read = {dep["path"]: dep["md5"] for dep in stage.get("deps", [])}
        for other in stages:
            made = {out["path"]: out["md5"] for out in other.get("outs", []) if out["path"] in read}
            # It has made something else since, as in a run of that stage alone.
            if any(read[path] != md5 for path, md5 in made.items()):
                return False
            if made and other not in reached:
                reached.append(other)
    return bool(reached)


def _writes_metrics(stage: dict[str, Any]) -> bool:
    return any(out["path"] == str(paths.EVALUATE_METRICS) for out in stage.get("outs", []))
