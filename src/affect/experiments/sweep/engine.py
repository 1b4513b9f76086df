"""Run one experiment of a commit on this machine, in a clone of its own: the workspace stays as it is.

`dvc exp run --temp` would change params.yaml and HEAD of the workspace for a second at each start, take in what is
being edited there, and lose it if it were killed meanwhile.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dvc.repo import Repo

from affect.experiments.commands import git, run_arguments
from affect.experiments.processes import kill_tree
from affect.experiments.reading import REFS
from affect.experiments.sweep.plan import Combination
from affect.plumbing.errors import InputError

CLONE = "clone"
# How lines of DVC begin that stand before its error.
OF_DVC = ("> ", "Running stage", "Reproducing experiment", "Verifying data", "WARNING:")


@dataclass(frozen=True)
class LocalEngine:
    """Runs experiments of one commit, one at a time. `alone` makes it."""

    baseline: str
    # Holds for each experiment that has not succeeded its clone, and what its stages keep for a resumption.
    folder: Path
    # Held by the DVC that runs as well, so that it outlives a killed sweep.
    lock: int

    @classmethod
    @contextmanager
    def alone(cls, baseline: str, folder: Path) -> Iterator["LocalEngine"]:
        """Yield the engine once no other sweep of the repository runs an experiment.

        What a killed sweep's DVC has finished meanwhile is collected; other clones that were left are removed.
        """
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT)
        try:
            _lock(descriptor, folder)
            for clone in sorted(folder.glob(f"*/{CLONE}")):
                shutil.rmtree(clone.parent if _collect_left(clone) else clone)
            yield cls(baseline, folder, descriptor)
        finally:
            os.close(descriptor)

    def log(self, name: str) -> Path:
        """Return the file with what an experiment's DVC and its stages print."""
        return self.folder / f"{name}.log"

    def run(self, name: str, combination: Combination) -> str | None:
        """Run an experiment; return None, or the line that it failed with.

        An experiment that was killed goes on from the checkpoints of its trainings, whatever its name was.
        """
        folder = self.folder / f"{self.baseline[:7]}-{combination.key}"
        clone = folder / CLONE
        try:
            _clone(self.baseline, clone)
            printed = self._run_dvc(name, combination, folder, clone)
            if printed is None:
                _collect(clone, f"{_refs(self.baseline)}/{name}")
        finally:
            shutil.rmtree(clone, ignore_errors=True)
        if printed is None:
            shutil.rmtree(folder)
            return None
        return find_error(printed)

    def _run_dvc(self, name: str, combination: Combination, folder: Path, clone: Path) -> str | None:
        """Return what DVC printed, if it failed."""
        command = [sys.executable, "-m", "dvc", *run_arguments(name, combination.overrides)]
        environment = os.environ | {"AFFECT_CACHE": str((folder / "cache").absolute())}
        with self.log(name).open("a", encoding="utf-8", errors="replace") as log:
            start = log.tell()
            process = subprocess.Popen(
                command,
                cwd=clone,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=[self.lock],
                # Ctrl-C reaches the sweep alone, which ends the rest.
                start_new_session=True,
            )
            try:
                code = process.wait()
            finally:
                kill_tree(process)
        if code == 0:
            return None
        return self.log(name).read_bytes()[start:].decode(errors="replace")


def find_error(printed: str) -> str:
    """Return the line of a failed DVC's output that says most: the last one of the stage, or DVC's own."""
    lines = [line.rsplit("\r")[-1].strip() for line in printed.splitlines()]
    lines = [line for line in lines if line]
    errors = [number for number, line in enumerate(lines) if line.startswith("ERROR:")]
    if not errors:
        return lines[-1] if lines else "it printed nothing"
    of_stage = lines[errors[0] - 1] if errors[0] > 0 else ""
    return lines[errors[0]] if not of_stage or of_stage.startswith(OF_DVC) else of_stage


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"sweep: waits for the experiment that runs in {folder} to end", file=sys.stderr, flush=True)
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _clone(baseline: str, clone: Path) -> None:
    """Check a commit out into a new clone that shares DVC's cache and the settings of the repository."""
    clone.parent.mkdir(parents=True, exist_ok=True)
    git("clone", "--quiet", "--shared", "--no-checkout", ".", str(clone))
    git("checkout", "--quiet", "--detach", baseline, folder=clone)
    shutil.copy(git("rev-parse", "--git-path", "config").strip(), clone / ".git" / "config")
    with Repo() as repo:
        settings, cache = repo.config.read("local"), repo.cache.local_cache_dir
    with Repo(str(clone)) as repo, repo.config.edit("local") as local:
        local.update(settings)
        local.setdefault("cache", {})["dir"] = cache


def _refs(baseline: str) -> str:
    return f"{REFS}/{baseline[:2]}/{baseline[2:]}"


def _collect(clone: Path, ref: str) -> None:
    # Whatever the user's settings for fetch, no other experiment may go.
    options = ("--quiet", "--no-tags", "--no-prune", "--no-recurse-submodules", "--no-write-fetch-head")
    git("fetch", *options, str(clone), f"{ref}:{ref}")


def _collect_left(clone: Path) -> bool:
    """Collect what a clone that was left has finished; False if that is nothing."""
    try:
        baseline = git("rev-parse", "HEAD", folder=clone).strip()
        refs = git("for-each-ref", "--format=%(refname)", _refs(baseline), folder=clone).splitlines()
        for ref in refs:
            _collect(clone, ref)
    except InputError as error:
        print(f"sweep: {clone} holds no experiment that can be collected ({error})", file=sys.stderr)
        return False
    return bool(refs)
