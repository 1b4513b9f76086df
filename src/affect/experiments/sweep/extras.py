"""What the engines share that are packages of their own."""

import os
from importlib import import_module
from pathlib import Path
from types import ModuleType

from affect.plumbing.errors import InputError

# What each takes that is no package of this repository.
PACKAGES = {"slurm": ("submitit", "submitit==1.5.4"), "ray": ("ray", "ray==2.60.0")}


def import_extra(engine: str) -> ModuleType:
    """Return the package of an engine. Raises InputError where it is not installed."""
    name, package = PACKAGES[engine]
    try:
        return import_module(name)
    except ModuleNotFoundError:
        raise InputError(f"--engine {engine} takes {name}, which is not installed; pip install {package}") from None


def source_path() -> str:
    """Return what PYTHONPATH must be for a job to find this package."""
    return os.pathsep.join([str(Path(__file__).parents[3]), *filter(None, [os.environ.get("PYTHONPATH")])])
