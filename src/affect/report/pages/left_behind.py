"""What the stages of a further pipeline have left for its page."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from affect.plumbing.errors import InputError


def read_left_behind(folder: Path, names: Sequence[str], document: str) -> list[dict[str, Any]]:
    """Read the JSON files of these names in a folder.

    document: says how they are made. Raises InputError, which names it, for what is not there or damaged.
    """
    try:
        return [json.loads((folder / name).read_text(encoding="utf-8")) for name in names]
    except OSError as error:
        raise InputError(f"{error.filename}: {error.strerror}; {document} says how it is made") from None
    except ValueError as error:
        raise InputError(f"{folder}: damaged ({error}); {document} says how it is made again") from None
