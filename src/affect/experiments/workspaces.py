"""The temporary folders in which DVC runs experiments."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# Seconds.
NOTE_TIMEOUT = 5


def find_workspace(name: str) -> Path | None:
    """Return the temporary folder in which `dvc exp run --temp --name {name}` runs now, or None."""
    return next((folder for running, _, folder in list_running() if running == name), None)


def list_running() -> Iterator[tuple[str, str, Path]]:
    """Yield name, baseline and folder of the experiments that run outside the workspace, as DVC notes them.

    The latest comes first: the folder of one that was killed stays.
    """
    notes = Path(".dvc/tmp/exps").glob("**/run/*/*.run")
    for note in sorted(notes, key=lambda file: file.stat().st_mtime, reverse=True):
        info = read_note(note)
        folder = Path(info["root_dir"])
        if folder.is_dir() and info["name"]:
            yield info["name"], info["baseline_rev"], folder


def read_note(note: Path) -> dict[str, Any]:
    """Read DVC's note of a running experiment, which DVC empties before it writes it anew."""
    deadline = time.monotonic() + NOTE_TIMEOUT
    while not (text := note.read_text(encoding="utf-8")) and time.monotonic() < deadline:
        time.sleep(0.01)
    return json.loads(text)
