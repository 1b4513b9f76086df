"""What runs the experiments of a sweep: this machine, one after the other, or jobs of Slurm or Ray.

All machines see the repository's folder at the same path.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import yaml

from affect.experiments.sweep.clones import STOPPED, Ended, Job, Started, collect, run_job
from affect.experiments.sweep.extras import PACKAGES
from affect.experiments.sweep.ray_engine import Ray
from affect.experiments.sweep.slurm_engine import Slurm
from affect.plumbing.errors import InputError

ENGINES = ("local", *PACKAGES)


class Engine(Protocol):
    """Runs experiments. Their order is that in which they end. interrupted: what Ctrl-C makes of one that runs."""

    interrupted: str

    def run(self, jobs: Sequence[Job], started: Started) -> Iterator[Ended]:
        """Yield each with the line that it failed with, or None. started: is told of each, and what it is now."""
        ...


class Local:
    """One at a time, on this machine. held: by the DVC that runs as well, so that it outlives a killed sweep."""

    interrupted = STOPPED

    def __init__(self, held: int) -> None:
        self.held = held

    def run(self, jobs: Sequence[Job], started: Started) -> Iterator[Ended]:
        """Run them in their order."""
        for job in jobs:
            started(job, "runs")
            succeeded = False
            try:
                error = run_job(job, [self.held])
                succeeded = error is None
            finally:
                collect(job, succeeded)
            yield job, error


@dataclass(frozen=True)
class Choice:
    """Which engine is to run experiments, and what each of them takes: NAME=VALUE, as the engine's package has it."""

    engine: str = "local"
    resources: tuple[str, ...] = ()

    def make(self, held: int) -> Engine:
        """Return the engine. Raises InputError where its package is not installed, and for what is no NAME=VALUE."""
        resources = {}
        for resource in self.resources:
            name, equals, value = resource.partition("=")
            if not (name and equals and value):
                raise InputError(f"--resource {resource}: give NAME=VALUE")
            try:
                resources[name] = yaml.safe_load(value)
            except yaml.YAMLError:
                raise InputError(f"--resource {resource}: {value} is no value in YAML") from None
        if self.engine == "local":
            if resources:
                raise InputError("--resource: the local engine takes none; it runs one experiment at a time")
            return Local(held)
        return Slurm(resources) if self.engine == "slurm" else Ray(resources)


LOCAL = Choice()
