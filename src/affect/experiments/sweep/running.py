"""Run the experiments that a sweep lacks, one after the other, and find those that it has."""

import signal
import sys
import time
from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from affect.experiments.commands import find_changed_data, git, head
from affect.experiments.reading import read_experiments
from affect.experiments.sweep.clones import Job, alone, collect_left
from affect.experiments.sweep.engines import LOCAL, Choice, Engine
from affect.experiments.sweep.plan import RESULTS, Combination, Run, choose_names, find_run
from affect.plumbing import paths
from affect.plumbing.errors import InputError

# What an experiment is made of, besides the files that git knows.
SOURCES = ("*.dvc", "src", "data/splits", "data/weights")


@dataclass(frozen=True)
class Finished:
    """What a sweep has come to: the experiments that have succeeded, and a line for each that has not."""

    runs: list[Run]
    failed: list[str]

    def require_all(self) -> None:
        """Raise InputError where an experiment has failed."""
        if self.failed:
            planned = len(self.runs) + len(self.failed)
            raise InputError(f"{len(self.failed)} of {planned} failed: {'; '.join(self.failed)}")


def add_overrides(command: ArgumentParser, required: bool = False) -> None:
    """Give a command the option -S of `dvc exp run`, whose values it has in `overrides`."""
    command.add_argument(
        *("-S", "--set-param"),
        action="append",
        default=[],
        required=required,
        dest="overrides",
        metavar="NAME=VALUE,...",
        help="values of a parameter, as `dvc exp run -S` takes them",
    )


def run_sweep(combinations: Sequence[Combination], name: str, choice: Choice = LOCAL) -> Finished:
    """Run the combinations of the last commit that have not been run, called {name}-1, {name}-2 and so on.

    choice: of what runs them. Progress goes to standard error. Raises InputError where code, data or parameters differ
    from the last commit.
    """
    baseline = head()
    require_committed()
    # As Ctrl-C: what runs is ended. nohup has a closed terminal ignored.
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.default_int_handler)
    failed = run_missing(combinations, name, baseline, choice)
    experiments = read_experiments([baseline])
    found = [(combination, find_run(combination, experiments)) for combination in combinations]
    # DVC may end well with a pipeline that leaves no metrics.
    failed |= {c.key: f"{c} (it has left no metrics)" for c, run in found if run is None and c.key not in failed}
    return Finished([(combination, run) for combination, run in found if run], list(failed.values()))


@dataclass(frozen=True)
class Planned:
    """An experiment to run: its place among all, such as "2 of 5", and what it is of."""

    at: str
    combination: Combination
    job: Job


def run_missing(combinations: Sequence[Combination], name: str, baseline: str, choice: Choice) -> dict[str, str]:
    """Run the combinations that have not been run; return a line for each that failed, by its key."""
    with alone(paths.SWEEP) as held:
        engine = choice.make(held)
        collect_left(paths.SWEEP)
        found = read_experiments([baseline])
        runs = [find_run(combination, found) for combination in combinations]
        missing = [position for position, run in enumerate(runs, 1) if run is None]
        names = dict(zip(missing, choose_names(name, missing, [run.name for run in found]), strict=True))
        planned = []
        for position, (combination, run) in enumerate(zip(combinations, runs, strict=True), 1):
            at = f"{position} of {len(combinations)}"
            if run:
                say(f"{at}: {combination} has been run: {run.name}")
            else:
                planned.append(Planned(at, combination, plan_job(baseline, names[position], combination)))
        return run_planned(engine, {each.job.folder: each for each in planned})


def plan_job(baseline: str, name: str, combination: Combination) -> Job:
    """Return what an engine needs to run a combination of a commit."""
    folder = paths.SWEEP.absolute()
    kept = folder / f"{baseline[:7]}-{combination.key}"
    return Job(Path.cwd(), baseline, name, combination.overrides, kept, folder / f"{name}.log")


def run_planned(engine: Engine, planned: Mapping[Path, Planned]) -> dict[str, str]:
    """Run experiments, by the folders of their jobs; return a line for each that failed, by its combination's key."""
    failed: dict[str, str] = {}
    running: dict[Path, tuple[str, float]] = {}

    def start(job: Job, what: str) -> None:
        each = planned[job.folder]
        running[job.folder] = f"{each.at}: {job.name}", time.monotonic()
        say(f"{each.at}: {each.combination} {what} as {job.name}; what it prints is in {shown(job.log)}")

    try:
        for job, error in engine.run([each.job for each in planned.values()], start):
            named, began = running.pop(job.folder)
            if error:
                say(f"{named} failed: {error}")
                combination = planned[job.folder].combination
                failed[combination.key] = f"{combination} ({shown(job.log)})"
            else:
                say(f"{named} done after {time.monotonic() - began:.0f} s")
    except KeyboardInterrupt:
        for named, _ in running.values():
            say(f"{named} {engine.interrupted}")
        raise
    return failed


def shown(log: Path) -> Path:
    """Return a log's path as the user would write it."""
    return paths.SWEEP / log.name


def require_committed() -> None:
    """Raise InputError where code, data or parameters differ from the last commit, of which the experiments are."""
    new = git("ls-files", "--others", "--exclude-standard", "--", *SOURCES).splitlines()
    if new:
        raise InputError(f"{new[0]} is not in git, so a sweep's experiments would lack it; commit it, or move it away")
    if data := find_changed_data():
        raise InputError(
            f"{data[0]} differs from what DVC has recorded, which a sweep's experiments have; `dvc add {data[0]}` and "
            f"commit {data[0]}.dvc, or bring it back with `dvc checkout {data[0]}`"
        )
    results = [f":(exclude){path}" for path in RESULTS if path != str(paths.PARAMS)]
    if changed := git("diff", "--name-only", "HEAD", "--", ".", *results).splitlines():
        more = f" (and {len(changed) - 1} more)" if len(changed) > 1 else ""
        raise InputError(
            f"{changed[0]}{more} differs from the last commit, of which a sweep's experiments are; commit it, or bring "
            f"it back with `git restore --staged --worktree {changed[0]}`"
        )


def say(line: str) -> None:
    """Print a line of progress; standard output is the result's."""
    print(line, file=sys.stderr, flush=True)
