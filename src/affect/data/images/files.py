"""Image files: which files are pictures, how they are found, named and ordered."""

import os
import unicodedata
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".jfif", ".png", ".webp", ".bmp")

# What macOS leaves beside each file on a disk of another system: ._NAME, with these first bytes (RFC 1740).
APPLE_DOUBLE = b"\0\5\x16\7"
# Python refuses to make a number of thousands of digits; an id as long is no number.
MAX_DIGITS = 18
# What file managers leave in folders of pictures.
LEFT_BY_SYSTEMS = (".DS_Store", "Thumbs.db", "desktop.ini")


def compose(name: str) -> str:
    """Return a name with its accents composed (Unicode's NFC): macOS writes them decomposed."""
    return unicodedata.normalize("NFC", name)


def is_apple_double(file: Path | os.DirEntry[str]) -> bool:
    """Whether a file is a macOS AppleDouble sidecar."""
    if not file.name.startswith("._") or not file.is_file():
        return False
    with Path(file).open("rb") as opened:
        return opened.read(len(APPLE_DOUBLE)) == APPLE_DOUBLE


def walk(folder: Path) -> Iterator[Path]:
    """Yield all files under a folder, and its links to folders, but what systems leave there.

    Raises OSError for a folder that can't be listed.
    """

    def stop(error: OSError) -> None:
        raise error

    for place, folders, names in os.walk(folder, onerror=stop):
        links = [name for name in folders if Path(place, name).is_symlink()]
        for name in (*links, *names):
            file = Path(place, name)
            if name not in LEFT_BY_SYSTEMS and not is_apple_double(file):
                yield file


def is_image(file: str) -> bool:
    """Whether a file's name has the ending of a picture that is read."""
    return PurePath(file).suffix.lower() in IMAGE_SUFFIXES


def name_files(files: Sequence[str]) -> list[str]:
    """Return an id for each picture: its file's name without the ending, or its whole path where names repeat."""
    names = [compose(PurePath(file).stem) for file in files]
    repeats = Counter(names)
    return [name if repeats[name] == 1 else compose(file) for name, file in zip(names, files, strict=True)]


def natural_order(id: str) -> tuple[int, str]:
    """Return the key by which ids are sorted: numbers by their value, before all others."""
    return (int(id) if id.isdecimal() and len(id) <= MAX_DIGITS else -1, id)
