"""Run an experiment in a temporary workspace, follow its curves while it trains, and end it early."""

import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from affect.experiments.commands import git, run_arguments
from affect.experiments.processes import interrupt_session
from affect.experiments.workspaces import find_workspace
from affect.plumbing import paths

# Seconds that DVC has for removing its workspace.
PATIENCE = 30
TABLE = "curves.csv"
# A search in the background ignores Ctrl-C, and would pass that on to DVC, which is ended by it.
RUN_DVC = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from dvc.cli import main; sys.exit(main(sys.argv[1:]))"
)


@dataclass(frozen=True)
class LiveExperiment:
    """An experiment that `run_live` has started."""

    name: str
    process: subprocess.Popen[bytes]

    @property
    def is_running(self) -> bool:
        """Whether DVC still runs it."""
        return self.process.poll() is None

    @property
    def has_succeeded(self) -> bool:
        """Whether it has ended, and is an experiment now."""
        return self.process.poll() == 0

    def read_curve(self, network: str, measure: str, images: str = "validation") -> "pd.Series[float]":
        """Return a measure of the finished epochs, by epoch from 1; empty while none has finished, and at the end.

        measure: loss, emotion_accuracy, valence_ccc or arousal_ccc. images: training or validation.
        """
        workspace = find_workspace(self.name)
        file = paths.TRAIN_METRICS / network / TABLE
        # Until its training starts, that of the commit lies there.
        if workspace is None or not _is_changed(workspace, file):
            return pd.Series(dtype=float)
        try:
            curves = pd.read_csv(workspace / file)
        except (FileNotFoundError, pd.errors.EmptyDataError):
            return pd.Series(dtype=float)
        chosen = curves[(curves["measure"] == measure) & (curves["images"] == images)]
        return chosen.set_index("epoch")["value"]

    def stop(self) -> None:
        """End DVC and its training, unless they have ended; nothing is left but the log."""
        workspace = find_workspace(self.name)
        interrupt_session(self.process, PATIENCE)
        if workspace is not None:
            shutil.rmtree(workspace, ignore_errors=True)


@contextmanager
def run_live(name: str, overrides: Sequence[str], log: Path) -> Iterator[LiveExperiment]:
    """Start `dvc exp run --temp` with these overrides, and end it with the block. The log gets what it prints."""
    command = [sys.executable, "-c", RUN_DVC, *run_arguments(name, overrides), "--temp"]
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    experiment = LiveExperiment(name, process)
    try:
        yield experiment
    finally:
        experiment.stop()


def _is_changed(workspace: Path, file: Path) -> bool:
    return bool(git("status", "--porcelain", "--", str(file), folder=workspace))
