"""Checkpoints outlive their training until DVC has recorded it: DVC can be killed, or its disk be full, in between."""

import hashlib
from pathlib import Path

from affect.plumbing import paths
from affect.plumbing.process_lock import started_by_dvc

_NOTE = ".until-recorded"


def keep_until_recorded(file: Path, output: Path) -> None:
    """Keep a file until dvc.lock holds the MD5 of `output`, or remove it at once where DVC did not start the stage."""
    if not started_by_dvc():
        file.unlink(missing_ok=True)
        return
    with output.open("rb") as opened:
        md5 = hashlib.file_digest(opened, "md5").hexdigest()
    note = file.with_name(f"{file.name}{_NOTE}")
    temporary = note.with_suffix(".tmp")
    temporary.write_text(md5, encoding="utf-8")
    temporary.replace(note)


def remove_recorded(folder: Path = paths.CACHE, lock: Path = paths.LOCK) -> None:
    """Remove each kept file of the folder whose output dvc.lock holds."""
    recorded = lock.read_text(encoding="utf-8") if lock.exists() else ""
    for note in folder.glob(f"*{_NOTE}"):
        if note.read_text(encoding="utf-8") in recorded:
            note.with_name(note.name.removesuffix(_NOTE)).unlink(missing_ok=True)
            note.unlink(missing_ok=True)
