"""What has come of the pictures and videos, in words."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from tqdm import tqdm

from affect.inference.tables.rows import Row
from affect.plumbing.stage import printable


def warn(text: str) -> None:
    """Write a line beside a progress bar."""
    tqdm.write(printable(f"predict: {text}"), file=sys.stderr)


@dataclass
class Count:
    """What has come of the sources so far."""

    pictures: int = 0
    frames: int = 0
    faces: int = 0
    without: int = 0
    failed: int = 0

    def add(self, rows: Sequence[Row], is_frame: bool) -> None:
        """Count a picture or frame."""
        self.pictures += not is_frame
        self.frames += is_frame
        self.without += rows[0]["face"] == 0
        self.faces += sum(row["face"] > 0 for row in rows)

    def fail(self, fault: str) -> None:
        """Say what can't be read, or not to its end."""
        warn(fault)
        self.failed += 1

    def __str__(self) -> str:
        """Say it in words."""
        places = [f"{self.pictures} pictures"] if self.pictures or not self.frames else []
        places += [f"{self.frames} frames"] if self.frames else []
        further = f", {self.without} without a face" if self.without else ""
        return f"{self.faces} faces in {' and '.join(places)}{further}"
