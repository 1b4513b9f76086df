"""How often the 95 % intervals hold the true value, in simulated evaluations that have one: `make test-intervals`."""

import sys

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from scipy import stats

from affect.core.labels import EXPRESSIONS
from affect.evaluation.bootstrap import bootstrap
from affect.evaluation.resampled_metrics import ResampledMetrics

ACCURACY = ("emotion", "accuracy")
AUC = ("emotion", "auc_roc")
CCC = ("valence", "ccc")
IMAGES = 500
RESAMPLES = 1000

# No share of 500 images, so that an interval never ends on it.
RIGHT = 0.8123
SEPARATION = 1.5
CORRELATION, SCALE, SHIFT = 0.85, 0.8, 0.1
TRUE_VALUES = {
    ACCURACY: RIGHT,
    AUC: stats.norm.cdf(SEPARATION / np.sqrt(2)),
    CCC: 2 * CORRELATION * SCALE / (1 + SCALE**2 + SHIFT**2),
}


def simulate(run: int) -> pd.DataFrame:
    """Draw predictions of which the accuracy, the AUC of each expression and the CCC of valence are known."""
    draws = np.random.default_rng([run, 1])
    truth = draws.integers(0, 8, IMAGES)
    right = draws.random(IMAGES) < RIGHT
    scores = draws.normal(size=(IMAGES, 8)) + SEPARATION * np.eye(8)[truth]
    valence, noise = draws.normal(size=(2, IMAGES))
    table = pd.DataFrame(stats.norm.cdf(scores), columns=[f"p_{name}" for name in EXPRESSIONS])
    return table.assign(
        expression=truth,
        predicted_expression=np.where(right, truth, (truth + draws.integers(1, 8, IMAGES)) % 8),
        valence=valence,
        predicted_valence=SCALE * (CORRELATION * valence + np.sqrt(1 - CORRELATION**2) * noise) + SHIFT,
        arousal=np.nan,
        predicted_arousal=np.nan,
    )


def hold_true_values(run: int) -> list[bool]:
    estimates = bootstrap(ResampledMetrics(simulate(run)), IMAGES, RESAMPLES, run)
    held = []
    for metric, value in TRUE_VALUES.items():
        interval = estimates[metric].interval()
        assert interval is not None
        held.append(interval[0] <= value <= interval[1])
    return held


def measure_coverage(runs: int) -> dict[tuple[str, str], float]:
    """Return the share of the runs whose interval holds the true value, by task and metric."""
    held = Parallel(n_jobs=-1)(delayed(hold_true_values)(run) for run in range(runs))
    return dict(zip(TRUE_VALUES, np.mean(held, axis=0), strict=True))


if __name__ == "__main__":
    coverage = measure_coverage(2000)
    for (task, metric), share in coverage.items():
        print(f"{task} {metric}: {share:.4f}")
    if any(abs(share - 0.95) > 0.01 for share in coverage.values()):
        sys.exit("the intervals are not 95 % intervals")
