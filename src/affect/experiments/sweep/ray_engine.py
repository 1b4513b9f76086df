"""Experiments as tasks of Ray, as many at once as it has room for."""

import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from affect.experiments.sweep.clones import STOPPED, Ended, Job, Started, collect, run_job
from affect.experiments.sweep.extras import import_extra, source_path
from affect.plumbing.errors import InputError

# Seconds in which tasks that are cancelled must end.
PATIENCE = 20
# What RAY_ADDRESS is for a Ray of one's own, on this machine.
LOCAL = "local"
# Seconds in which the machine that RAY_ADDRESS names must answer.
ANSWER = 10


class Ray:
    """Tasks of the Ray that RAY_ADDRESS names, or of this machine. resources: of each, as `remote` has them.

    Ray gives each task GPUs of its own; where there are any, one.
    """

    interrupted = STOPPED

    def __init__(self, resources: Mapping[str, Any]) -> None:
        self.ray = import_extra("ray")
        self.resources = dict(resources)
        # By itself Ray would join what was started on this machine last, also where that is gone.
        self.address = os.environ.get("RAY_ADDRESS") or LOCAL

    def run(self, jobs: Sequence[Job], started: Started) -> Iterator[Ended]:
        """Run as many at once as there is room for."""
        _require_answer(self.address)
        running: dict[Any, Job] = {}
        # Ray takes SIGTERM for itself.
        handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
        try:
            self.ray.init(
                self.address,
                runtime_env={"env_vars": {"PYTHONPATH": source_path()}},
                include_dashboard=False,
                log_to_driver=False,
                logging_level="ERROR",
            )
            remote = self._make_remote()
            for number, handler in handlers.items():
                signal.signal(number, handler)
            for job in jobs:
                running[remote.remote(job)] = job
                started(job, "is a task of Ray,")
            while running:
                (ended,), _ = self.ray.wait(list(running))
                job = running.pop(ended)
                try:
                    error = self.ray.get(ended)
                except self.ray.exceptions.RayError as failure:
                    error = str(failure).strip().splitlines()[-1]
                collect(job, error is None)
                yield job, error
        except ConnectionError as error:
            raise InputError(f"ray: {' '.join(str(error).split())}") from None
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

    def _make_remote(self) -> Any:
        """Return `run_job` as a task. Raises InputError for what Ray does not know, or has not got."""
        has_gpus = self.ray.cluster_resources().get("GPU", 0) > 0
        asked = {"num_cpus": 1, "num_gpus": int(has_gpus), "max_retries": 0} | self.resources
        try:
            remote = self.ray.remote(**asked)(run_job)
        except (TypeError, ValueError) as error:
            raise InputError(f"--resource: {' '.join(str(error).split())}") from None
        self._require_room(asked)
        return remote

    def _require_room(self, asked: Mapping[str, Any]) -> None:
        """Raise InputError for what no machine of Ray has, and would be waited for silently; of a cluster say so."""
        needed = {"CPU": asked["num_cpus"], "GPU": asked["num_gpus"], "memory": asked.get("memory")}
        needed = {name: amount for name, amount in (needed | (asked.get("resources") or {})).items() if amount}
        machines = [node["Resources"] for node in self.ray.nodes() if node["Alive"]]
        if any(all(machine.get(name, 0) >= amount for name, amount in needed.items()) for machine in machines):
            return
        have = {_list_amounts({name: machine.get(name, 0) for name in needed}) for machine in machines}
        said = f"no machine of Ray has {_list_amounts(needed)}, but {' or '.join(sorted(have))}"
        if self.address == LOCAL:
            raise InputError(f"--resource: {said}")
        # Such a machine may be started for it.
        print(f"sweep: {said}; waits for one", file=sys.stderr, flush=True)


def _list_amounts(amounts: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {amount:g}" for name, amount in amounts.items())


def _require_answer(address: str) -> None:
    """Raise InputError where nothing answers at a HOST:PORT: Ray would go on trying for longer than nine minutes."""
    if address in ("auto", LOCAL):
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not (host and port.isdecimal()):
        raise InputError(f"RAY_ADDRESS is {address}; give HOST:PORT, ray://HOST:PORT, or auto")
    try:
        socket.create_connection((host.strip("[]"), int(port)), ANSWER).close()
    except (OSError, OverflowError) as error:
        raise InputError(f"RAY_ADDRESS is {address}, where no Ray answers: {error}") from None
