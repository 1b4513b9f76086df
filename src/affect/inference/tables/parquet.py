"""A table of faces as Parquet, of any length."""

from pathlib import Path

import polars

from affect.core.files import new_file

PARQUET = ".parquet"
TEXTS = ("id", "source", "predicted_expression", "smoothed_expression")
INTEGERS, BOOLEANS = ("frame", "face"), ("cropped",)
_TYPES = {
    **dict.fromkeys(TEXTS, polars.String),
    **dict.fromkeys(INTEGERS, polars.Int64),
    **dict.fromkeys(BOOLEANS, polars.Boolean),
}


def to_parquet(rows: Path, file: Path) -> None:
    """Write the rows of a CSV as a new Parquet file, block by block."""
    # pandas would need pyarrow, with which it refuses texts that are not UTF-8, as names of files may be.
    columns = polars.read_csv(rows, n_rows=0).columns
    table = polars.scan_csv(rows, schema={name: _TYPES.get(name, polars.Float64) for name in columns})
    with new_file(file) as temporary:
        table.sink_parquet(temporary)
