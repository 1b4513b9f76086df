"""Ask git and DVC; a refusal of theirs is an InputError."""

import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from dvc.exceptions import DvcException
from dvc.repo import Repo

from affect.plumbing import paths
from affect.plumbing.errors import InputError


def git(*arguments: str, folder: Path = Path()) -> str:
    """Return what a git command prints. Raises InputError with git's last line."""
    return _run(["git", "-C", str(folder), *arguments], f"git {arguments[0]}")


def show_file(revision: str, file: Path) -> str | None:
    """Return the text of a file that git tracks at a revision, or None where it has none."""
    command = ["git", "show", f"{revision}:./{file}"]
    shown = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    return shown.stdout if shown.returncode == 0 else None


def read_locks(revision: str | None) -> list[dict[str, Any]]:
    """Return the stages that DVC has recorded at a revision, or with None in the workspace."""
    stages: list[dict[str, Any]] = []
    for lock in (paths.LOCK, paths.DATA_LOCK):
        if revision is None:
            text = lock.read_text(encoding="utf-8") if lock.is_file() else None
        else:
            text = show_file(revision, lock)
        stages += yaml.load(text or "{}", yaml.CSafeLoader).get("stages", {}).values()
    return stages


def find_changed_data() -> list[str]:
    """Return what `dvc add` tracks and has been edited since; what is not there is no edit."""
    with Repo() as repo:
        added = [stage.addressing for stage in repo.index.stages if stage.is_data_source]
        changes = repo.status(targets=added) if added else {}
    outputs = [entry.get("changed outs", {}) for entries in changes.values() for entry in entries]
    return [path for changed in outputs for path, how in changed.items() if how != "deleted"]


def head() -> str:
    """Return the SHA of the last commit. Raises InputError where there is none."""
    if not git("for-each-ref", "--count=1"):
        raise InputError("git has no commit yet, and experiments begin from one; make it with git commit")
    return git("rev-parse", "HEAD").strip()


def show_experiments(revisions: list[str]) -> list[dict[str, Any]]:
    """Return what `dvc exp show --json` prints: the workspace, then each of these commits with its experiments.

    Raises InputError with DVC's line.
    """
    try:
        # The command itself would take two seconds to import DVC once more.
        with Repo() as repo:
            return [shown.dumpd() for shown in repo.experiments.show(revs=revisions)]
    except DvcException as error:
        raise InputError(f"dvc exp show: {error}") from None


def run_arguments(name: str, overrides: Iterable[str]) -> list[str]:
    """Return what follows `dvc` on the command line that runs an experiment with these overrides."""
    return ["exp", "run", "--name", name, *(argument for override in overrides for argument in ("-S", override))]


def _run(command: list[str], name: str) -> str:
    ran = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    if ran.returncode != 0:
        lines = ran.stderr.strip().splitlines() or [f"exit code {ran.returncode}"]
        raise InputError(f"{name}: {lines[-1]}")
    return ran.stdout
