"""Where a stage keeps what a killed one goes on from."""

import os
import subprocess
import sys

from conftest import ROOT


def test_the_cache_of_a_workspace_that_does_not_last_is_elsewhere() -> None:
    command = [sys.executable, "-c", "from affect.plumbing import paths; print(paths.CACHE)"]
    environment = {name: value for name, value in os.environ.items() if name != "AFFECT_CACHE"}
    environment["PYTHONPATH"] = str(ROOT / "src")
    for changes, folder in (({}, "data/cache"), ({"AFFECT_CACHE": "/elsewhere/cache"}, "/elsewhere/cache")):
        assert subprocess.check_output(command, env=environment | changes, text=True) == f"{folder}\n"
