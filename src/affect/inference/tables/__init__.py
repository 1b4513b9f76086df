"""The table of faces: written row by row, gone on with, read again."""

from affect.inference.tables.rows import Row, RowFile, open_rows, read_pictures

__all__ = ["Row", "RowFile", "open_rows", "read_pictures"]
