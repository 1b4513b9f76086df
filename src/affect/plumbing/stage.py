"""Run a script: check versions, lock the stage, print an InputError as one line."""

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from affect.plumbing import paths
from affect.plumbing.errors import InputError
from affect.plumbing.process_lock import exit_when_orphaned, file_lock
from affect.plumbing.until_recorded import remove_recorded
from affect.plumbing.versions import check_versions

# The exit code of shells for a command that Ctrl-C has ended.
INTERRUPTED = 130
# By which the environment numbers the processes of one training.
RANKS = ("KERAS_DISTRIBUTION_PROCESS_ID", "SLURM_PROCID")
RESTORE = "git restore metrics && dvc checkout"


def run_stage(main: Callable[[], None]) -> None:
    """Run the `main` of a stage as `run_command` does, one process at a time for each stage of a workspace."""
    # Each process of a training that has several is alone as its own rank; the first has the stage's own name.
    rank = next(filter(None, map(os.environ.get, RANKS)), "0")
    parts = [Path(sys.argv[0]).stem, *sys.argv[1:], *([] if rank == "0" else [f"rank{rank}"])]
    name = "-".join(re.sub(r"\W", "_", part) for part in parts)

    def run_alone() -> None:
        if not paths.PARAMS.exists():
            raise InputError(
                f"{paths.PARAMS}: cannot be read (No such file or directory); run from the repository's root"
            )
        exit_when_orphaned(name)
        with file_lock(paths.CACHE / f"{name}.lock"):
            remove_recorded()
            main()

    run_command(run_alone, f"; outputs that DVC has removed come back with `{RESTORE}`")


def run_command(main: Callable[[], None], hint: str = "") -> None:
    """Run a script's `main` with the pinned packages.

    An InputError or an OSError becomes one line on standard error, which the hint ends for an OSError, and exit code 1.
    """
    name = Path(sys.argv[0]).stem
    # A file's name need not be UTF-8.
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        check_versions(paths.REQUIREMENTS)
        main()
    except InputError as error:
        sys.exit(printable(f"{name}: {error}"))
    except OSError as error:
        if error.errno is None:
            raise
        place = f"{error.filename}: " if error.filename else ""
        sys.exit(printable(f"{name}: {place}{os.strerror(error.errno)}{hint}"))
    except KeyboardInterrupt:
        print(f"{name}: interrupted", file=sys.stderr)
        sys.exit(INTERRUPTED)


def printable(text: str) -> str:
    """Return a text on one line in which unprintable characters, as in odd file names, stand as their escapes."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
