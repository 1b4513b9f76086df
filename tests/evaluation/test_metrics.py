"""The twelve metrics against scipy, scikit-learn's other routes and formulas written out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from affect.evaluation import metrics

FLOATS = st.floats(-1, 1, allow_nan=False, width=32)
SERIES = st.integers(3, 40).flatmap(
    lambda n: st.tuples(arrays(np.float64, n, elements=FLOATS), arrays(np.float64, n, elements=FLOATS))
)
LABELS = st.integers(3, 60).flatmap(
    lambda n: st.tuples(
        arrays(np.int64, n, elements=st.integers(0, 7)), arrays(np.int64, n, elements=st.integers(0, 7))
    )
)


@given(SERIES)
def test_ccc_is_lins_formula(series: tuple[np.ndarray, np.ndarray]) -> None:
    truth, prediction = series
    if np.ptp(np.concatenate(series)) == 0:
        with pytest.raises(metrics.UndefinedMetricError):
            metrics.ccc(truth, prediction)
        return
    n = len(truth)
    covariance = sum((t - truth.mean()) * (p - prediction.mean()) for t, p in zip(truth, prediction, strict=True)) / n
    scale = np.var(truth) + np.var(prediction) + (truth.mean() - prediction.mean()) ** 2
    assert metrics.ccc(truth, prediction) == pytest.approx(2 * covariance / scale, abs=1e-9)


@given(LABELS)
def test_nominal_alpha_is_krippendorffs_formula(labels: tuple[np.ndarray, np.ndarray]) -> None:
    truth, prediction = labels
    pooled = np.bincount(np.concatenate(labels), minlength=8)
    if (pooled > 0).sum() < 2:
        with pytest.raises(metrics.UndefinedMetricError):
            metrics.krippendorff_alpha(truth, prediction)
        return
    values = pooled.sum()
    observed = np.mean(truth != prediction)
    expected = 1 - (pooled * (pooled - 1)).sum() / (values * (values - 1))
    assert metrics.krippendorff_alpha(truth, prediction) == pytest.approx(1 - observed / expected, abs=1e-9)


@given(LABELS)
def test_kappa_is_cohens_formula(labels: tuple[np.ndarray, np.ndarray]) -> None:
    truth, prediction = labels
    if len(np.union1d(truth, prediction)) < 2:
        with pytest.raises(metrics.UndefinedMetricError):
            metrics.cohen_kappa(truth, prediction)
        return
    shares = [np.bincount(labels, minlength=8) / len(labels) for labels in (truth, prediction)]
    chance = shares[0] @ shares[1]
    assert metrics.cohen_kappa(truth, prediction) == pytest.approx(
        (np.mean(truth == prediction) - chance) / (1 - chance)
    )


def test_alpha_of_a_good_model_is_high() -> None:
    """The notebook behind the report printed 0 for every model."""
    truth = np.repeat(np.arange(8), 25)
    prediction = np.where(np.arange(200) % 10 == 0, (truth + 1) % 8, truth)
    assert metrics.krippendorff_alpha(truth, prediction) == pytest.approx(0.886, abs=0.001)


def test_auc_roc_is_the_mann_whitney_statistic() -> None:
    draws = np.random.default_rng(1)
    truth = np.repeat(np.arange(8), 10)
    probabilities = draws.dirichlet(np.ones(8), 80).round(2)
    areas = []
    for expression in range(8):
        own, rest = probabilities[truth == expression, expression], probabilities[truth != expression, expression]
        areas.append(stats.mannwhitneyu(own, rest).statistic / (len(own) * len(rest)))
    assert metrics.auc_roc(truth, probabilities) == pytest.approx(np.mean(areas), abs=1e-9)


def test_expressions_absent_from_the_truth_do_not_count() -> None:
    truth = np.array([0, 0, 1, 1])
    prediction = np.array([0, 7, 1, 1])
    assert metrics.f1(truth, prediction) == pytest.approx((2 / 3 + 1) / 2)
    with pytest.raises(metrics.UndefinedMetricError, match="every image is neutral"):
        metrics.auc_pr(np.zeros(4, int), np.full((4, 8), 1 / 8))


def test_sagr_takes_zero_for_a_sign_of_its_own() -> None:
    assert metrics.sagr(np.array([0.5, -0.5, 0.0, 0.0]), np.array([0.1, 0.1, 0.0, 0.1])) == 0.5


@pytest.mark.parametrize("metric", [metrics.corr, metrics.r2])
def test_a_constant_truth_defines_no_correlation(metric: object) -> None:
    assert callable(metric)
    with pytest.raises(metrics.UndefinedMetricError, match="constant"):
        metric(np.full(5, 0.1), np.linspace(0, 1, 5))
