"""Experiments as jobs of Slurm, as many at once as it has room for."""

import json
import os
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from affect.experiments.sweep.clones import Ended, Job, Started, collect, run_job
from affect.experiments.sweep.extras import import_extra, source_path
from affect.plumbing.errors import InputError

# submitit ends a job after 5 minutes, unless it is told.
TIMEOUT_MIN = 24 * 60
# Seconds: between two looks at jobs, and until the result of one that Slurm no longer knows must be seen.
PAUSE, PATIENCE = 5, 20
# Seconds for which a Slurm that can't be asked is asked again.
OUTAGE = 600
# Of submitit's parameters.
SET_HERE = {"name", "nodes", "tasks_per_node", "slurm_ntasks_per_node", "slurm_nodes"}


class Slurm:
    """Jobs of Slurm, by submitit. resources: of each job, as its `update_parameters` has them.

    They outlive the sweep: the next one finds them.
    """

    interrupted = "goes on; the same command finds it, and scancel ends it"

    def __init__(self, resources: Mapping[str, Any]) -> None:
        self.submitit = import_extra("slurm")
        if refused := SET_HERE & set(resources):
            raise InputError(f"--resource {min(refused)}: an experiment is one task of one host, called after itself")
        self.resources = {"timeout_min": TIMEOUT_MIN} | dict(resources)

    def run(self, jobs: Sequence[Job], started: Started) -> Iterator[Ended]:
        """Submit all that are not submitted yet."""
        # Of the jobs' Python, which Slurm gives the environment of this one.
        os.environ["PYTHONPATH"] = source_path()
        running, known = [], _list_ids()
        for job in jobs:
            named, id = self._find(job, known) or self._submit(job)
            running.append((named, id))
            started(named, f"is job {id} of Slurm,")
        while running:
            known = _list_ids(OUTAGE)
            for job, id in list(running):
                if id in known:
                    continue
                running.remove((job, id))
                error = self._read_result(job, id)
                collect(job, succeeded=error is None)
                yield job, error
            time.sleep(PAUSE if running else 0)

    def _find(self, job: Job, known: set[str]) -> tuple[Job, str] | None:
        """Return the job of an earlier sweep, which had the name of then, unless it has failed."""
        if not _note(job).is_file():
            return None
        note = json.loads(_note(job).read_text(encoding="utf-8"))
        earlier = replace(job, name=note["name"], log=job.log.with_name(f"{note['name']}.log"))
        is_failed = note["id"] not in known and self._read_result(earlier, note["id"]) is not None
        return None if is_failed else (earlier, note["id"])

    def _submit(self, job: Job) -> tuple[Job, str]:
        try:
            executor = self.submitit.AutoExecutor(folder=_jobs(job), cluster="slurm")
            executor.update_parameters(name=job.name, **self.resources)
            id = executor.submit(run_job, job).job_id
        except (RuntimeError, NameError, TypeError, ValueError, AssertionError) as error:
            raise InputError(f"slurm: {' '.join(str(error).split())}") from None
        _note(job).write_text(json.dumps({"id": id, "name": job.name}), encoding="utf-8")
        return job, id

    def _read_result(self, job: Job, id: str) -> str | None:
        """Return what a job that has ended failed with, or None."""
        result = self.submitit.SlurmJob(folder=_jobs(job), job_id=id)
        if not _appears(result.paths.result_pickle):
            return f"job {id} of Slurm has ended without a result, as one that is cancelled or out of time or memory"
        try:
            return result.result()
        except self.submitit.core.utils.FailedJobError as error:
            return str(error).strip().splitlines()[-1]


def _list_ids(patience: float = 0) -> set[str]:
    """Return the jobs that Slurm has and that have not ended. Raises InputError where it can't be asked for so long."""
    deadline = time.monotonic() + patience
    while True:
        try:
            asked = subprocess.run(["squeue", "--noheader", "--format=%A"], capture_output=True, text=True, check=False)
        except FileNotFoundError:
            raise InputError(
                "slurm: there is no squeue here; submit from a machine that has Slurm's commands"
            ) from None
        if asked.returncode == 0:
            return set(asked.stdout.split())
        if time.monotonic() >= deadline:
            said = (asked.stderr.strip() or "squeue fails").splitlines()[-1]
            raise InputError(f"slurm: {said}" + ("; what is submitted goes on" if patience else ""))
        time.sleep(PAUSE)


def _jobs(job: Job) -> Path:
    """Return where submitit keeps what it knows of a job."""
    return job.folder / "jobs"


def _note(job: Job) -> Path:
    return job.folder / "job.json"


def _appears(file: Path) -> bool:
    """Whether a file that another machine may have written is seen in time."""
    deadline = time.monotonic() + PATIENCE
    while not file.is_file() and time.monotonic() < deadline:
        time.sleep(PAUSE)
    return file.is_file()
