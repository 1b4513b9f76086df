"""How a script ends: a user's mistake is one line and exit code 1, never a traceback."""

import sys
from collections.abc import Callable
from pathlib import Path

from affect.errors import InputError


def run_stage(main: Callable[[], None]) -> None:
    """Run a script's `main`; an InputError becomes one line on standard error and exit code 1."""
    try:
        main()
    except InputError as error:
        sys.exit(f"{Path(sys.argv[0]).stem}: {error}")
