"""An array in a file, read and written by row, by many processes at once.

Unlike np.memmap, pages that were read do not count as this process's resident memory.
"""

import errno
import math
import os
from collections.abc import Sequence
from io import FileIO

import numpy as np
from numpy.typing import DTypeLike


class ArrayFile:
    """An array of (count, ...), at least 2-D and in C order, that begins at byte `offset` of an unbuffered file.

    Unpickled in another process, it opens the file again by its name.
    """

    def __init__(self, file: FileIO, shape: tuple[int, ...], dtype: DTypeLike, offset: int = 0) -> None:
        self.file = file
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self.offset = offset
        self.row_bytes = math.prod(shape[1:]) * self.dtype.itemsize

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: int | slice | Sequence[int] | np.ndarray) -> np.ndarray:
        """Read one row, or several into an array of their own. Raises OSError where the file is cut short."""
        if isinstance(rows, int | np.integer):
            return self[[int(rows)]][0]
        chosen = range(len(self))[rows] if isinstance(rows, slice) else [range(len(self))[row] for row in rows]
        read = np.empty((len(chosen), *self.shape[1:]), self.dtype)
        for row, place in zip(chosen, read, strict=True):
            buffer = place.reshape(-1).view(np.uint8)
            if os.preadv(self.file.fileno(), [buffer], self._position(row)) < self.row_bytes:
                raise OSError(errno.EIO, "cut short", self.file.name)
        return read

    def __reduce__(self) -> tuple[object, ...]:
        return _reopen, (self.file.name, self.file.mode, self.shape, self.dtype, self.offset)

    def slice(self, first: int, last: int) -> "ArrayFile":
        """Return the rows from `first` to before `last`, unread."""
        return ArrayFile(self.file, (last - first, *self.shape[1:]), self.dtype, self._position(first))

    def write(self, first: int, arrays: np.ndarray) -> None:
        """Write rows from `first` on. Raises ValueError for another shape and OSError where they don't fit."""
        if arrays.shape[1:] != self.shape[1:] or not 0 <= first <= len(self) - len(arrays):
            raise ValueError(f"{arrays.shape} at row {first} does not fit into {self.shape}")
        buffer = np.ascontiguousarray(arrays, self.dtype).reshape(-1).view(np.uint8)
        if os.pwrite(self.file.fileno(), buffer.data, self._position(first)) < len(buffer):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), self.file.name)

    def reorder(self, order: Sequence[int] | np.ndarray) -> None:
        """Reorder in place so that row `order[i]` becomes row i; the remaining rows follow in any order.

        order: each row at most once.
        """
        row_at, place_of = np.arange(len(self)), np.arange(len(self))
        for target, row in enumerate(order):
            place, displaced = place_of[row], row_at[target]
            if place != target:
                rows = self[[target, place]]
                self.write(target, rows[1:])
                self.write(place, rows[:1])
                row_at[place], place_of[displaced] = displaced, place

    def _position(self, row: int) -> int:
        return self.offset + row * self.row_bytes


def _reopen(name: str, mode: str, shape: tuple[int, ...], dtype: np.dtype, offset: int) -> ArrayFile:
    return ArrayFile(FileIO(name, mode), shape, dtype, offset)
