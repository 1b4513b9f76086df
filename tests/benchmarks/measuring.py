"""Ours against named baselines, in turns within one process, so that a busy machine slows all of them alike."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Result:
    """Medians of one comparison: seconds of ours and of the baseline, and the median of their ratio, turn by turn."""

    benchmark: str
    baseline: str
    ours_seconds: float
    baseline_seconds: float
    ratio: float


def compare(
    benchmark: str, ours: Callable[[], object], baselines: Mapping[str, Callable[[], object]], turns: int
) -> list[Result]:
    """Run ours and each baseline once to warm up, then in so many turns, and compare them."""
    work = {"ours": ours, **baselines}
    for run in work.values():
        run()
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(turns):
        for name, run in work.items():
            started = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - started)
    own = seconds["ours"]
    return [
        Result(
            benchmark,
            name,
            statistics.median(own),
            statistics.median(seconds[name]),
            statistics.median(theirs / mine for theirs, mine in zip(seconds[name], own, strict=True)),
        )
        for name in baselines
    ]


def print_table(results: list[Result]) -> None:
    """Print a line for each comparison."""
    print(f"{'benchmark':50} {'baseline':36} {'ours':>8} {'baseline':>8} {'ratio':>6}")
    for result in results:
        seconds = f"{result.ours_seconds:7.3f}s {result.baseline_seconds:7.3f}s"
        print(f"{result.benchmark:50} {result.baseline:36} {seconds} {result.ratio:6.2f}")
