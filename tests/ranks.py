"""Trainings of one network by several processes, each with several devices of the processor's."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from conftest import ROOT, Workspace

HERE = "127.0.0.1"


@dataclass(frozen=True)
class Trained:
    """What a training has left: its last checkpoint, and what each of its processes has printed."""

    checkpoint: Mapping[str, np.ndarray]
    printed: list[str]


@dataclass
class Ranks:
    """The processes of a training that runs."""

    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    @classmethod
    def start(cls, workspace: Workspace, backbone: str, ranks: int = 1, devices: int = 1) -> "Ranks":
        """Start all of them; each takes itself for a stage of DVC, which keeps the checkpoint."""
        with socket.create_server((HERE, 0)) as found:
            address = f"{HERE}:{found.getsockname()[1]}"
        environment = os.environ | {"DVC_STAGE": "train", "KERAS_BACKEND": "jax"}
        if devices > 1:
            environment["XLA_FLAGS"] = f"--xla_force_host_platform_device_count={devices}"
        started = cls()
        for rank in range(ranks):
            place = {"JOB_ADDRESSES": address, "NUM_PROCESSES": str(ranks), "PROCESS_ID": str(rank)}
            place = {f"KERAS_DISTRIBUTION_{name}": value for name, value in place.items()} if ranks > 1 else {}
            process = subprocess.Popen(
                [sys.executable, "-u", ROOT / "src" / "train.py", backbone],
                cwd=workspace.folder,
                env=environment | place,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            started.processes.append(process)
        return started

    def wait_for(self, line: str, rank: int = 0) -> None:
        """Wait until a rank prints a line that begins so."""
        stream = self.processes[rank].stdout
        assert stream is not None
        assert any(printed.startswith(line) for printed in stream)

    def send(self, rank: int, number: signal.Signals) -> None:
        """Send a signal to a rank."""
        os.kill(self.processes[rank].pid, number)

    def end(self, seconds: float = 600) -> list[str]:
        """Wait until all have ended; return what each has printed."""
        try:
            return [process.communicate(timeout=seconds)[0] for process in self.processes]
        finally:
            for process in self.processes:
                process.kill()


def train(workspace: Workspace, backbone: str, ranks: int = 1, devices: int = 1) -> Trained:
    """Train from the beginning, and succeed."""
    file = workspace.folder / "data" / "cache" / f"{backbone}.checkpoint.npz"
    file.unlink(missing_ok=True)
    started = Ranks.start(workspace, backbone, ranks, devices)
    printed = started.end()
    assert [process.returncode for process in started.processes] == [0] * ranks, "\n".join(printed)
    return Trained(read_checkpoint(file), printed)


def read_checkpoint(file: Path) -> dict[str, np.ndarray]:
    """Read all that training depends on."""
    with np.load(file) as saved:
        return {name: saved[name] for name in saved.files}
