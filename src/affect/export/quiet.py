"""Converters tell of every stage that they go through, and advise those who wrote them."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator

from affect.models.backend import silent_native_code


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Discard what is printed, logged and warned of; errors still reach the caller."""
    logging.disable(logging.CRITICAL)
    try:
        with silent_native_code(), contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
