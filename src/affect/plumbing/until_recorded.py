"""Keep a checkpoint until dvc.lock records its training.

Between the end of a stage and its record DVC can be killed, or find its cache's disk full: the training would be lost.
"""

import os
import re
from pathlib import Path

from affect.plumbing import paths
from affect.plumbing.process_lock import started_by_dvc

_NOTE = ".until-recorded"
_MD5 = re.compile(rb"[0-9a-f]{32}")


def keep_until_recorded(file: Path, output: Path) -> None:
    """Keep a file until dvc.lock holds the MD5 of `output`, or remove it at once where DVC did not start the stage."""
    if not started_by_dvc():
        file.unlink(missing_ok=True)
        return
    with file.with_name(f"{file.name}{_NOTE}").open("w", encoding="ascii") as note:
        note.write(paths.file_md5(output))
        note.flush()
        os.fsync(note.fileno())


def remove_recorded(folder: Path = paths.CACHE, lock: Path = paths.LOCK) -> None:
    """Remove each kept file of the folder whose output dvc.lock holds. A note that is no whole MD5 is left alone."""
    recorded = lock.read_bytes() if lock.is_file() else b""
    for note in folder.glob(f"*{_NOTE}"):
        md5 = note.read_bytes() if note.is_file() else b""
        if _MD5.fullmatch(md5) and md5 in recorded:
            note.with_name(note.name.removesuffix(_NOTE)).unlink(missing_ok=True)
            note.unlink(missing_ok=True)
