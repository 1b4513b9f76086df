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
            # Of several processes another would find a note that is just being removed.
            if rank == "0":
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
    # Ctrl-C too.
    except BaseException as error:
        told = tell(error)
        if told is None:
            raise
        if isinstance(error, KeyboardInterrupt):
            print(f"{name}: {told}", file=sys.stderr)
            sys.exit(INTERRUPTED)
        sys.exit(f"{name}: {told}{hint if isinstance(error, OSError) else ''}")


def tell(error: BaseException) -> str | None:
    """Return the line for an error that the user can mend, or for Ctrl-C; None for what needs a traceback."""
    if isinstance(error, InputError):
        return printable(str(error))
    if isinstance(error, OSError) and error.errno is not None:
        return printable(f"{error.filename}: " if error.filename else "") + os.strerror(error.errno)
    return "interrupted" if isinstance(error, KeyboardInterrupt) else None


def printable(text: str) -> str:
    """Return a text on one line in which unprintable characters, as in odd file names, stand as their escapes."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)
