"""Work spread over the machine's cores."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import cv2
from joblib import Parallel, delayed
from tqdm import tqdm

Item = TypeVar("Item")
Result = TypeVar("Result")


def parallel_map(function: Callable[[Item], Result], items: Sequence[Item], description: str) -> Iterator[Result]:
    """Yield `function(item)` for each item, in the order of the items, computed in other processes.

    A progress bar named `description` is drawn where the output is a terminal. LOKY_MAX_CPU_COUNT in the
    environment limits the number of processes; it never changes a result.
    """
    workers = Parallel(n_jobs=-1, return_as="generator")
    results = workers(delayed(_call_single_threaded)(function, item) for item in items)
    return iter(tqdm(results, total=len(items), desc=description, disable=None))


def _call_single_threaded(function: Callable[[Item], Result], item: Item) -> Result:
    # The processes already fill the cores; OpenCV's own threads would only fight over them.
    cv2.setNumThreads(1)
    return function(item)
