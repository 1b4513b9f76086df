"""Memory and disk of each process of a training, as there are more of them: `make bench-ranks`, which installs JAX."""

import os
import sys
import tempfile
import time
from pathlib import Path

from conftest import Workspace
from ranks import Ranks
from ranks_on_jax import add_faces, prepare

from affect.training.feature_cache import SHARED

BACKBONE, FACES, BATCH = "efficientnetb1", 1600, 64


def main() -> None:
    """Print a row for each number of processes."""
    print(f"{BACKBONE}, {FACES} faces of 96 px, batches of {BATCH}, one epoch from the frozen layers' output")
    print("| processes | memory of each, MB | disk of each, MB | seconds |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace.create(Path(folder))
        add_faces(workspace, FACES)
        prepare(workspace, BACKBONE, **{"train.epochs": 1, "train.batch_size": BATCH})
        for ranks in (1, 2, 4):
            print(measure(workspace, ranks), flush=True)


def measure(workspace: Workspace, ranks: int) -> str:
    """Train once."""
    cache = workspace.folder / "data" / "cache"
    (cache / f"{BACKBONE}.checkpoint.npz").unlink(missing_ok=True)
    began = time.monotonic()
    started = Ranks.start(workspace, BACKBONE, ranks)
    running, memory, disk = {process.pid for process in started.processes}, [], 0
    while running:
        pid, status, usage = os.wait4(-1, os.WNOHANG)
        if pid in running:
            if status:
                sys.exit(f"a process has failed: {started.end()}")
            running.remove(pid)
            memory.append(round(usage.ru_maxrss / 1024))
        # That of one process alone has no name: it is told by what the process has open.
        named = [file for file in cache.glob(f"*{SHARED}") if file.exists()]
        disk = max(disk, sum(file.stat().st_size for file in named), _open_bytes(started.processes[0].pid, cache))
        time.sleep(0.1)
    seconds = time.monotonic() - began
    return f"| {ranks} | {', '.join(map(str, sorted(memory)))} | {disk / ranks / 1e6:.0f} | {seconds:.0f} |"


def _open_bytes(pid: int, cache: Path) -> int:
    """Return the size of the files without a name that a process has open in a folder."""
    total = 0
    for link in Path(f"/proc/{pid}/fd").glob("*"):
        try:
            if link.readlink().is_relative_to(cache) and str(link.readlink()).endswith(" (deleted)"):
                total += link.stat().st_size
        except OSError:
            continue
    return total


if __name__ == "__main__":
    main()
