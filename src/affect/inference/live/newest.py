"""The newest value that passes from a thread to others."""

from threading import Condition
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Newest(Generic[Value]):
    """The newest value of a thread, for any number of threads.

    There is no queue: a thread that takes values more slowly than they come misses some, and never lags behind.
    """

    def __init__(self) -> None:
        self.changed = Condition()
        self.count = 0
        self.value: Value | None = None
        self.is_closed = False
        self.fault: Exception | None = None

    def put(self, value: Value) -> None:
        """Replace the value."""
        with self.changed:
            self.count, self.value = self.count + 1, value
            self.changed.notify_all()

    def close(self, fault: Exception | None = None) -> None:
        """Say that no more values come, and, if so, which fault ended them; only the first call counts."""
        with self.changed:
            if not self.is_closed:
                self.is_closed, self.fault = True, fault
            self.changed.notify_all()

    def take(self, after: int) -> tuple[int, Value] | None:
        """Wait for a value that is newer than the one counted `after`; return its count, from 1, and the value.

        Returns None once no more values come. Raises the fault that ended them.
        """
        with self.changed:
            self.changed.wait_for(lambda: self.is_closed or self.count > after)
            if self.fault is not None:
                raise self.fault
            if self.is_closed or self.value is None:
                return None
            return self.count, self.value
