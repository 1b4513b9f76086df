"""Run one experiment of a commit in a clone of its own: the workspace stays as it is.

`dvc exp run --temp` would change params.yaml and HEAD of the workspace for a second at each start, take in what is
being edited there, and lose it if it were killed meanwhile.
"""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from dvc.repo import Repo

from affect.experiments.commands import git, run_arguments
from affect.experiments.processes import kill_tree
from affect.experiments.reading import REFS
from affect.experiments.sweep.plan import choose_names
from affect.plumbing.errors import InputError

CLONE = "clone"
# What Ctrl-C makes of an experiment that runs.
STOPPED = "stopped; the same command goes on with it"
# Seconds between two looks at a DVC that runs.
STEP = 0.1
# How lines of DVC begin that stand before its error.
OF_DVC = ("> ", "Running stage", "Reproducing experiment", "Verifying data", "WARNING:")


@dataclass(frozen=True)
class Job:
    """One experiment of a commit, by its overrides. All paths are absolute, so that another machine finds them.

    folder: holds, until it has succeeded, its clone and what its stages keep for a resumption. log: what its DVC and
    its stages print.
    """

    repository: Path
    baseline: str
    name: str
    overrides: tuple[str, ...]
    folder: Path
    log: Path

    @property
    def clone(self) -> Path:
        """Where it runs."""
        return self.folder / CLONE


# Is told of an experiment that is started, and what it is now, such as "runs".
Started = Callable[[Job, str], None]
# An experiment that has ended, with the line that it failed with, or None.
Ended = tuple[Job, str | None]


def run_job(job: Job, held: Sequence[int] = ()) -> str | None:
    """Run an experiment in a new clone, where it stays; return None, or the line that it failed with.

    An experiment that was killed goes on from the checkpoints of its trainings, whatever its name was; one that still
    runs is waited for. held: what the DVC that runs holds as well.
    """
    os.chdir(job.repository)
    with _lock(job.folder) as lock:
        if _list_finished(job.clone):
            return None
        shutil.rmtree(job.clone, ignore_errors=True)
        _clone(job.baseline, job.clone)
        return _run_dvc(job, [lock, *held])


def collect(job: Job, succeeded: bool) -> None:
    """Take an experiment out of its clone, where it has succeeded, and remove what it needs no longer."""
    if succeeded:
        _fetch(job.clone, _list_finished(job.clone))
    shutil.rmtree(job.folder if succeeded else job.clone, ignore_errors=True)


def collect_left(folder: Path) -> None:
    """Collect what the clones that a killed sweep has left under a folder have finished; remove those that rest."""
    for clone in sorted(folder.glob(f"*/{CLONE}")):
        try:
            with _lock(clone.parent, waits=False):
                finished = _list_finished(clone)
                _fetch(clone, finished)
        except BlockingIOError:
            continue
        except InputError as error:
            print(f"sweep: {clone} holds no experiment that can be collected ({error})", file=sys.stderr)
            finished = []
        shutil.rmtree(clone.parent if finished else clone)


def alone(folder: Path) -> AbstractContextManager[int]:
    """Return a lock that is held once no other sweep of the repository runs an experiment."""
    return _lock(folder, said=f"sweep: waits for the experiment that runs in {folder} to end")


@contextmanager
def _lock(folder: Path, waits: bool = True, said: str = "") -> Iterator[int]:
    """Hold a folder's lock, that of an experiment as its DVC does. Raises BlockingIOError unless it waits.

    said: once, where it has to wait.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not waits:
                raise
            if said:
                print(said, file=sys.stderr, flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def _run_dvc(job: Job, held: Sequence[int]) -> str | None:
    """Return the line that DVC failed with, or None."""
    command = [sys.executable, "-m", "dvc", *run_arguments(job.name, job.overrides)]
    environment = os.environ | {"AFFECT_CACHE": str(job.folder / "cache")}
    with job.log.open("a", encoding="utf-8", errors="replace") as log:
        start = log.tell()
        process = subprocess.Popen(
            command,
            cwd=job.clone,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=held,
            # Ctrl-C reaches the sweep alone, which ends the rest.
            start_new_session=True,
        )
        try:
            # In small steps: a task of Ray can be interrupted between them alone.
            while process.poll() is None:
                time.sleep(STEP)
        finally:
            kill_tree(process)
    if process.returncode == 0:
        return None
    if process.returncode < 0:
        return f"it was ended by {signal.Signals(-process.returncode).name}; the same command goes on with it"
    return find_error(job.log.read_bytes()[start:].decode(errors="replace"))


def find_error(printed: str) -> str:
    """Return the line of a failed DVC's output that says most: the last one of the stage, or DVC's own."""
    lines = [line.rsplit("\r")[-1].strip() for line in printed.splitlines()]
    lines = [line for line in lines if line]
    errors = [number for number, line in enumerate(lines) if line.startswith("ERROR:")]
    if not errors:
        return lines[-1] if lines else "it printed nothing"
    of_stage = lines[errors[0] - 1] if errors[0] > 0 else ""
    return lines[errors[0]] if not of_stage or of_stage.startswith(OF_DVC) else of_stage


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


def _list_finished(clone: Path) -> list[str]:
    """Return the experiments that a clone holds, by their refs; none where there is no clone."""
    if not (clone / ".git").is_dir():
        return []
    baseline = git("rev-parse", "HEAD", folder=clone).strip()
    refs = f"{REFS}/{baseline[:2]}/{baseline[2:]}"
    return git("for-each-ref", "--format=%(refname)", refs, folder=clone).splitlines()


def _fetch(clone: Path, refs: Sequence[str]) -> None:
    """Bring experiments home: under another name what was called so meanwhile is another experiment."""
    # Whatever the user's settings for fetch, no other experiment may go.
    options = ("--quiet", "--no-tags", "--no-prune", "--no-recurse-submodules", "--no-write-fetch-head")
    for ref in refs:
        folder, name = ref.rsplit("/", 1)
        listed = git("for-each-ref", "--format=%(refname:lstrip=-1) %(objectname)", folder).splitlines()
        here = dict(line.split() for line in listed)
        if git("rev-parse", ref, folder=clone).strip() in here.values():
            continue
        free = name if name not in here else choose_names(name, [2], here)[0]
        if free != name:
            print(f"sweep: {name} is another experiment by now, so this one is {free}", file=sys.stderr)
        git("fetch", *options, str(clone), f"{ref}:{folder}/{free}")
