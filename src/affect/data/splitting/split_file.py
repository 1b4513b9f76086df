"""A split that is given as a list."""

from pathlib import Path

import pandas as pd

from affect.data.images.files import compose
from affect.plumbing.errors import InputError

SPLITS = ("train", "val", "test")


def read_split_file(file: Path) -> pd.Series:
    """Read the columns id and split (train, val or test) of a CSV. Raises InputError for any other content."""
    try:
        table = pd.read_csv(file, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:
        raise InputError(f"data.split_file: {file} can't be read: {' '.join(str(error).split())}") from None
    if not {"id", "split"} <= set(table.columns):
        raise InputError(f"data.split_file: {file} has the columns {', '.join(table.columns)}, but needs id and split")
    table["id"] = table["id"].map(compose)
    unknown = table[~table["split"].isin(SPLITS)]
    if len(unknown):
        raise InputError(
            f"data.split_file: {file}: split is {unknown['split'].iloc[0]!r}, but should be train, val or test"
        )
    repeated = table[table["id"].duplicated()]
    if len(repeated):
        raise InputError(f"data.split_file: {file} lists the id {repeated['id'].iloc[0]} twice")
    return table.set_index("id")["split"]
