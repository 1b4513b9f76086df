"""CSV files of a dataset: every value as the text that stands in the file."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from affect.plumbing.errors import InputError


def read_table(file: Path, header: Sequence[str] | None = None, columns: list[str] | None = None) -> pd.DataFrame:
    """Read a CSV in UTF-8, with or without a byte order mark; a missing value is an empty text.

    header: the columns of a file that has no header line. columns: those to be read, all by default. Raises InputError
    for what is not a table, a column that is there twice and a table without rows.
    """
    names = list(header or read_header(file))
    # pandas would rename it.
    if repeated := [name for name in names if names.count(name) > 1]:
        raise InputError(f"{file}: has the column {repeated[0]!r} twice")
    try:
        table = pd.read_csv(
            file,
            header=None,
            skiprows=0 if header else 1,
            names=names,
            usecols=columns,
            # A row with more values than the header would shift the others.
            index_col=False,
            dtype=str,
            keep_default_na=False,
            encoding="utf-8-sig",
            skipinitialspace=True,
        )
    except (OSError, ValueError) as error:
        raise InputError(f"{file}: can't be read as a table ({' '.join(str(error).split())})") from None
    if not len(table):
        raise InputError(f"{file}: has no rows")
    return table.fillna("")


def read_header(file: Path) -> list[str]:
    """Return the columns of a CSV, and nothing for a file that is none."""
    try:
        with file.open(encoding="utf-8-sig") as opened:
            return [name.strip().strip('"') for name in opened.readline(MAX_HEADER).split(",")]
    except (OSError, UnicodeDecodeError):
        return []


def list_tables(folder: Path) -> list[Path]:
    """List the CSV files that lie in a folder itself."""
    return sorted(file for file in folder.glob("*.csv") if file.is_file() and not file.name.startswith("."))


# No header is as long; in a file of another kind the first line can be all of it.
MAX_HEADER = 10_000
