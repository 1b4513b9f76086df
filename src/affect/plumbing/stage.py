"""How a script runs: with the pinned packages, alone where it is a stage, and ended by a mistake in one line."""

import os
import re
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from affect.plumbing.errors import InputError
from affect.plumbing.process_lock import end_with_dvc, exclusive
from affect.plumbing.versions import check_versions

REQUIREMENTS = Path(__file__).parents[3] / "requirements.txt"
LOCKS = Path("data/cache")
# The exit code of shells for a command that Ctrl-C has ended.
INTERRUPTED = 130
RESTORE = "git restore metrics && dvc checkout"


def run_stage(main: Callable[[], None]) -> None:
    """Run the `main` of a stage as `run_command` does, one process at a time for each stage of a workspace."""
    name = "-".join(re.sub(r"\W", "_", part) for part in [Path(sys.argv[0]).stem, *sys.argv[1:]])

    def run_alone() -> None:
        end_with_dvc(name)
        with exclusive(LOCKS / f"{name}.lock"):
            main()

    run_command(run_alone, f"; outputs that DVC has removed come back with `{RESTORE}`")


def run_command(main: Callable[[], None], hint: str = "") -> None:
    """Run a script's `main`; an InputError or an OSError becomes one line on standard error and exit code 1.

    The hint ends the line of an OSError.
    """
    name = Path(sys.argv[0]).stem
    # A file's name need not be UTF-8.
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
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
    """Return a text on one line, in which what can't be printed, as in odd file names, stands as its escape."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


# Scripts import this module first: with other versions, the rest may not even be imported.
run_command(partial(check_versions, REQUIREMENTS))
