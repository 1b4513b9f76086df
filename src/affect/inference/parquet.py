"""A table of faces as Parquet, of any length."""

from pathlib import Path

import pyarrow
from pyarrow import csv, parquet

from affect.core.files import new_file

PARQUET = ".parquet"
_TEXTS = ("id", "source", "predicted_expression")
_TYPES = {"face": pyarrow.int32(), "cropped": pyarrow.bool_(), **dict.fromkeys(_TEXTS, pyarrow.string())}


def to_parquet(rows: Path, file: Path) -> None:
    """Write the rows of a CSV as a new Parquet file, block by block."""
    with rows.open(encoding="utf-8") as opened:
        columns = opened.readline().rstrip("\n").split(",")
    types = {name: _TYPES.get(name, pyarrow.float64()) for name in columns}
    schema = pyarrow.schema(types.items())
    options = csv.ConvertOptions(column_types=types)
    with new_file(file) as temporary, parquet.ParquetWriter(temporary, schema) as writer:
        for block in csv.open_csv(rows, convert_options=options):
            writer.write_batch(block)
