"""Ours against named baselines, in turns within one process, so that a busy machine slows all of them alike."""

import os
import statistics
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context

Work = Callable[[], float]


@dataclass(frozen=True)
class Result:
    """Medians of one comparison: seconds of ours and of the baseline, and the median of their ratio, turn by turn."""

    benchmark: str
    ours: str
    baseline: str
    ours_seconds: float
    baseline_seconds: float
    ratio: float


def timed(run: Callable[[], object]) -> Work:
    """Return what runs and returns the seconds that it took."""
    return partial(_time, run)


def _time(run: Callable[[], object]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def alone(work: Work) -> Work:
    """Return what works in a new process, as a stage does; what earlier trainings leave in one would slow it down."""

    def work_alone() -> float:
        with ProcessPoolExecutor(1, get_context("spawn")) as process:
            return process.submit(work).result()

    return work_alone


def compare(benchmark: str, ours: Mapping[str, Work], baselines: Mapping[str, Work], turns: int) -> list[Result]:
    """Let each of ours and each baseline work in so many turns; each work returns the seconds that count."""
    seconds: dict[str, list[float]] = {name: [] for name in (*ours, *baselines)}
    for _ in range(turns):
        for name, work in {**ours, **baselines}.items():
            # None is to pay for what another has left to be written to the disk.
            os.sync()
            seconds[name].append(work())
    return [
        Result(
            benchmark,
            mine,
            theirs,
            statistics.median(seconds[mine]),
            statistics.median(seconds[theirs]),
            statistics.median(slow / fast for slow, fast in zip(seconds[theirs], seconds[mine], strict=True)),
        )
        for mine in ours
        for theirs in baselines
    ]


def print_table(results: list[Result]) -> None:
    """Print a line for each comparison."""
    print(f"{'benchmark':40} {'ours':22} {'baseline':44} {'ours':>9} {'baseline':>9} {'ratio':>6}")
    for result in results:
        names = f"{result.benchmark:40} {result.ours:22} {result.baseline:44}"
        print(f"{names} {result.ours_seconds:8.3f}s {result.baseline_seconds:8.3f}s {result.ratio:6.2f}", flush=True)
