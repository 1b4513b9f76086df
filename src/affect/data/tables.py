"""What labels are stored in: CSV files, every value as the text that stands in the file, and NumPy's of few numbers."""

import csv
import io
import math
import os
import stat
import warnings
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from affect.plumbing.errors import InputError

# No header is as long; in a file of another kind the first line can be all of it.
MAX_HEADER = 10_000


def read_table(file: Path, header: Sequence[str] | None = None, columns: Iterable[str] | None = None) -> pd.DataFrame:
    """Read a CSV in UTF-8, with or without a byte order mark; a missing value is an empty text.

    header: the columns of a file that has no header line. columns: those to be read, by default all that have a name;
    what else is in a row is then passed over. Values lose spaces around them. Raises InputError for what is not a
    table, a column that is there twice, a row with more values than columns, and a table without rows.
    """
    names = list(header or read_header(file))
    named = [name for name in names if name]
    # pandas would rename it.
    if repeated := [name for name in named if names.count(name) > 1]:
        raise InputError(f"{file}: has the column {repeated[0]!r} twice")
    try:
        with warnings.catch_warnings():
            # Of a first row with more values than the header pandas only warns.
            warnings.simplefilter("error", pd.errors.ParserWarning)
            table = pd.read_csv(
                file,
                header=None,
                skiprows=0 if header else 1,
                names=[name or f"\0{place}" for place, name in enumerate(names)],
                usecols=None if columns is None else list(columns),
                # A row with more values than the header would shift the others.
                index_col=False,
                dtype=str,
                keep_default_na=False,
                encoding="utf-8-sig",
                skipinitialspace=True,
            )
    except pd.errors.ParserWarning:
        raise InputError(f"{file}: its rows have more values than the header has columns ({show(names)})") from None
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: can't be read as a table ({' '.join(str(error).split())})") from None
    if not len(table):
        raise InputError(f"{file}: has no rows")
    return table[list(columns or named)].fillna("").apply(lambda values: values.str.strip())


def read_header(file: Path) -> list[str]:
    """Return the columns of a CSV, and nothing for a file that is none, such as one in another encoding than UTF-8."""
    try:
        with file.open("rb") as opened:
            # Not as text, of which more would be decoded than the line.
            line = opened.readline(MAX_HEADER).decode("utf-8-sig").replace("\r", "\n").partition("\n")[0]
    except (OSError, UnicodeDecodeError):
        return []
    return [name.strip() for name in next(csv.reader([line], skipinitialspace=True), [])]


def list_tables(folder: Path) -> list[Path]:
    """List the CSV files that lie in a folder itself."""
    return sorted(
        file
        for file in folder.iterdir()
        if file.suffix.casefold() == ".csv" and not file.name.startswith(".") and file.is_file()
    )


def show(names: Sequence[str]) -> str:
    """Return columns as a line shows them."""
    return ", ".join(name if name.isprintable() else repr(name) for name in names) or "no column that reads as UTF-8"


def read_npy(file: str, max_bytes: int) -> np.ndarray:
    """Return the array of a small .npy file; a dataset has hundreds of thousands, so that system calls count.

    Raises OSError, and ValueError for what is no such file, larger, or holds Python objects; a damaged one makes NumPy
    raise almost anything.
    """
    status = os.stat(file)  # noqa: PTH116
    # Opening a named pipe would wait for ever.
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("not a file")
    if status.st_size > max_bytes:
        raise ValueError("too large for an annotation")
    opened = os.open(file, os.O_RDONLY)
    try:
        content = os.read(opened, max_bytes)
    finally:
        os.close(opened)
    return _parse_npy(content)


def _parse_npy(content: bytes) -> np.ndarray:
    if not content.startswith(np.lib.format.MAGIC_PREFIX):
        raise ValueError("is no .npy file, as numpy.save writes it")
    # Of version 1.0: six magic bytes, two of the version, two of the header's length.
    start = 10 + int.from_bytes(content[8:10], "little")
    if content[6:8] != b"\1\0" or start > len(content):
        return np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    shape, in_fortran_order, dtype = _parse_npy_header(content[8:start])
    if dtype.hasobject:
        raise ValueError("Object arrays cannot be loaded when allow_pickle=False")
    array = np.frombuffer(content, dtype, math.prod(shape), start)
    return array.reshape(shape, order="F" if in_fortran_order else "C")


@lru_cache(maxsize=256)
def _parse_npy_header(header: bytes) -> tuple[tuple[int, ...], bool, np.dtype]:
    # Parsing is most of the work, and few headers differ.
    return np.lib.format.read_array_header_1_0(io.BytesIO(header))
