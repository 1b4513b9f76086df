"""A file lock for each stage, and a watcher that stops a stage whose parent DVC has died."""

import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from affect.plumbing.errors import InputError

# Read before the imports that take seconds: DVC may be killed meanwhile.
_STARTED_BY = os.getppid()
_ORPHANED = "the DVC that started it is gone; dvc repro goes on"


@contextmanager
def file_lock(file: Path) -> Iterator[None]:
    """Hold an exclusive lock on this file; the file stays on disk.

    Raises InputError where something else is in its place, and where the DVC that started this process has died: a
    newer DVC may already have run this stage.
    """
    if os.path.lexists(file) and (file.is_symlink() or not file.is_file()):
        raise InputError(f"{file} is no file, where a lock is to be held; it is left as it is: move it away")
    file.parent.mkdir(parents=True, exist_ok=True)
    # Names the file as given where it can't be written; FileLock would name its absolute path.
    file.touch()
    lock = FileLock(file)
    try:
        held = lock.acquire(blocking=False)
    except Timeout:
        print(f"{file.stem}: waits for another run of it to end", file=sys.stderr, flush=True)
        held = lock.acquire()
    with held:
        if _is_orphaned():
            raise InputError(_ORPHANED)
        yield


def started_by_dvc() -> bool:
    """Whether this process is a stage that DVC runs, and will record."""
    return "DVC_STAGE" in os.environ


def exit_when_orphaned(name: str) -> None:
    """Watch in a thread for the death of the DVC that started this process, and then kill it and its workers.

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
