"""Experiments as tasks of Ray, as many at once as it has room for."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from affect.experiments.sweep.clones import STOPPED, Ended, Job, Started, collect, run_job
from affect.experiments.sweep.extras import import_extra, source_path

# Seconds in which tasks that are cancelled must end.
PATIENCE = 20


class Ray:
    """Tasks of the Ray that RAY_ADDRESS names, or of this machine. resources: of each, as `remote` has them.

    Ray gives each task GPUs of its own; where there are any, one.
    """

    interrupted = STOPPED

    def __init__(self, resources: Mapping[str, Any]) -> None:
        self.ray = import_extra("ray")
        self.resources = dict(resources)

    def run(self, jobs: Sequence[Job], started: Started) -> Iterator[Ended]:
        """Run as many at once as there is room for."""
        self.ray.init(
            runtime_env={"env_vars": {"PYTHONPATH": source_path()}},
            include_dashboard=False,
            log_to_driver=False,
            logging_level="ERROR",
        )
        try:
            running: dict[Any, Job] = {}
            gpus = {"num_gpus": 1} if self.ray.cluster_resources().get("GPU") else {}
            remote = self.ray.remote(**{"max_retries": 0} | gpus | self.resources)(run_job)
            for job in jobs:
                running[remote.remote(job)] = job
                started(job, " in a task of Ray")
            while running:
                (ended,), _ = self.ray.wait(list(running))
                job = running.pop(ended)
                try:
                    error = self.ray.get(ended)
                except self.ray.exceptions.RayError as failure:
                    error = str(failure).strip().splitlines()[-1]
                collect(job, error is None)
                yield job, error
        except KeyboardInterrupt:
            # A task that is told ends its DVC; one whose process is killed would leave it running.
            for task in running:
                self.ray.cancel(task)
            self.ray.wait(list(running), num_returns=len(running), timeout=PATIENCE)
            for job in running.values():
                collect(job, succeeded=False)
            raise
        finally:
            self.ray.shutdown()
