"""Networks against each other on the same images: which is better, and whether by more than chance."""

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from affect.core.predictions import DECIMALS
from affect.evaluation.bootstrap import BootstrapEstimate

TIE = "tie"
# Decimals that are shown of a metric, unless a bound would seem to be 0.
MIN_DIGITS = 3
LOWER_IS_BETTER = ("rmse", "mae")
# What a smaller copy of a network may lose of accuracy, F1 or a CCC at most, to be worth its bytes.
MAX_LOSS = 0.02


def compare(networks: list[str], estimates: Mapping[tuple[str, str, str], BootstrapEstimate]) -> list[dict]:
    """Compare each pair of networks in each metric that both have.

    estimates: by (network, task, metric), in the same resamples. Returns a dictionary for each comparison: task,
    metric, first and second network, the difference first minus second, its 95 % interval, and the verdict: the better
    network, or "tie" where the interval holds 0. A difference that has no interval is left out.
    """
    metrics = dict.fromkeys(name[1:] for name in estimates)
    comparisons = []
    for first, second in combinations(networks, 2):
        for task, metric in metrics:
            difference = estimates[first, task, metric] - estimates[second, task, metric]
            if (bounds := difference.interval()) is not None:
                # Judge by the digits that are written: what is beyond them is rounding. Adding 0 makes a 0 of -0.
                low, high = (round(bound, DECIMALS) + 0 for bound in bounds)
                comparisons.append(
                    {
                        "task": task,
                        "metric": metric,
                        "first": first,
                        "second": second,
                        "difference": round(difference.estimate, DECIMALS) + 0,
                        "interval": [low, high],
                        "verdict": _judge(first, second, (low, high), metric in LOWER_IS_BETTER),
                    }
                )
    return comparisons


def mcnemar(tables: Mapping[str, pd.DataFrame]) -> list[dict]:
    """Test for each pair of networks whether their accuracies differ, with McNemar's exact test.

    tables: predictions of the same images in the same rows. Returns a dictionary for each pair: first and second
    network, how many images only the one names rightly, and the probability p, in [0, 1], of so uneven a split or a
    more uneven one if both were as accurate.

    Source: McNemar, Note on the sampling error of the difference between correlated proportions (1947).
    """
    right = {name: (table["expression"] == table["predicted_expression"]).to_numpy() for name, table in tables.items()}
    tests = []
    for first, second in combinations(tables, 2):
        only_first = int(np.sum(right[first] & ~right[second]))
        only_second = int(np.sum(right[second] & ~right[first]))
        p = binomtest(only_first, only_first + only_second).pvalue if only_first + only_second else 1.0
        tests.append(
            {
                "first": first,
                "second": second,
                "only_first_right": only_first,
                "only_second_right": only_second,
                "p": round(float(p), DECIMALS),
            }
        )
    return tests


def count_digits(values: Sequence[float]) -> int:
    """Return how many decimals tell each value from 0, if it is another: at least 3, at most those of the files."""
    return next(
        (digits for digits in range(MIN_DIGITS, DECIMALS) if all(round(v, digits) or not v for v in values)), DECIMALS
    )


def _judge(first: str, second: str, interval: tuple[float, float], lower_is_better: bool) -> str:
    low, high = interval
    if low <= 0 <= high:
        return TIE
    return first if (low > 0) != lower_is_better else second
