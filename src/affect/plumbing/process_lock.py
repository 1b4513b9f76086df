"""One process at a time for what they write to the same place, and none that outlives the DVC that started it."""

import fcntl
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from affect.plumbing.errors import InputError

# As early as it can be known, before what takes seconds to import: DVC may be killed meanwhile.
_STARTED_BY = os.getppid()
_ORPHANED = "the DVC that started it is gone; dvc repro goes on"


@contextmanager
def exclusive(lock: Path) -> Iterator[None]:
    """Wait until no other process is in here with the same file, which is left there.

    Raises InputError where the DVC that started this process is gone: the other one may have been its successor.
    """
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(f"{lock.stem}: waits for another run of it to end", file=sys.stderr, flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        if _is_orphaned():
            raise InputError(_ORPHANED)
        yield


def started_by_dvc() -> bool:
    """Whether this process is a stage that DVC runs, and will record."""
    return "DVC_STAGE" in os.environ


def end_with_dvc(name: str) -> None:
    """Have this process end, with its worker processes, when the DVC that started it, if one did, is gone.

    Nobody would record its output, and the next run may be writing it already.
    """
    if started_by_dvc():
        threading.Thread(target=_watch, args=[name], daemon=True).start()


def _is_orphaned() -> bool:
    return started_by_dvc() and os.getppid() != _STARTED_BY


def _watch(name: str) -> None:
    while not _is_orphaned():
        time.sleep(0.2)
    print(f"{name}: {_ORPHANED}", file=sys.stderr, flush=True)
    for worker in psutil.Process().children(recursive=True):
        worker.kill()
    os._exit(1)
