"""The 95 % intervals hold the true value in 95 % of simulated evaluations, and are what scipy computes."""

import warnings

import numpy as np
import pytest
from conftest import draw_predictions
from interval_coverage import CCC, TRUE_VALUES, measure_coverage
from scipy import stats

from affect.evaluation.bootstrap import BootstrapEstimate, bootstrap, leave_out, resample
from affect.evaluation.resampled_metrics import ResampledMetrics
from affect.evaluation.results import evaluate


def test_intervals_hold_the_true_value_in_95_percent_of_runs() -> None:
    """Within three standard errors of so many runs; `make test-intervals` has five times as many."""
    assert measure_coverage(400) == {metric: pytest.approx(0.95, abs=0.033) for metric in TRUE_VALUES}


def mean_of(values: np.ndarray) -> BootstrapEstimate:
    estimates = bootstrap(lambda counts: {"mean": counts @ values / counts.sum(axis=1)}, len(values), 20_000, 1)
    return estimates["mean"]


def test_the_interval_is_scipys_bca() -> None:
    values = np.random.default_rng(3).exponential(size=200)
    result = stats.bootstrap((values,), np.mean, n_resamples=20_000, method="BCa", rng=1)
    width = result.confidence_interval.high - result.confidence_interval.low
    # Student's quantiles widen it by about one part in a hundred, and both have drawn their resamples at random.
    assert mean_of(values).interval() == pytest.approx(tuple(result.confidence_interval), abs=width / 60)
    skewed = np.quantile(mean_of(values).resampled, [0.025, 0.975])
    assert abs(skewed[1] - result.confidence_interval.high) > width / 40


def test_resamples_draw_as_many_images_and_leave_none_out_for_good() -> None:
    counts = np.concatenate(list(resample(700, 1000, 5)))
    assert counts.shape == (1000, 700)
    assert (counts.sum(axis=1) == 700).all()
    assert counts.mean(axis=0) == pytest.approx(np.ones(700), abs=0.2)
    again = np.concatenate(list(resample(700, 1000, 5)))
    other = np.concatenate(list(resample(700, 1000, 6)))
    assert (counts == again).all()
    assert (counts != other).any()


@pytest.mark.parametrize(("images", "groups"), [(7, 7), (2500, 1000)])
def test_the_jackknife_leaves_each_image_out_once(images: int, groups: int) -> None:
    counts = np.concatenate(list(leave_out(images)))
    assert counts.shape == (groups, images)
    assert ((1 - counts).sum(axis=0) == 1).all()


def test_a_figure_that_resamples_seldom_define_has_no_interval() -> None:
    values = np.linspace(0, 1, 100)
    seldom = np.where(np.arange(100) % 10 == 0, np.nan, values)
    rarely = np.where(np.arange(100) % 50 == 0, np.nan, values)
    assert BootstrapEstimate(0.5, seldom, values).interval() is None
    assert BootstrapEstimate(np.nan, values, values).interval() is None
    low, high = BootstrapEstimate(0.5, rarely, values).interval() or (np.nan, np.nan)
    assert 0 < low < 0.5 < high < 1


def test_differences_are_paired() -> None:
    """The same predictions with a shade more error differ surely, though their own intervals overlap."""
    table = draw_predictions(300, seed=1)
    worse = table.assign(predicted_valence=table["predicted_valence"] + 0.02)
    estimates = [bootstrap(ResampledMetrics(each), 300, 500, 1)[CCC] for each in (table, worse)]
    difference = (estimates[0] - estimates[1]).interval()
    own = estimates[0].interval()
    assert difference is not None
    assert own is not None
    assert difference[1] - difference[0] < (own[1] - own[0]) / 4


@pytest.mark.parametrize("images", [1, 2, 3])
def test_few_images_are_evaluated_without_a_warning(images: int) -> None:
    tables = {name: draw_predictions(images, seed) for seed, name in enumerate(("resnet50", "efficientnetb1"))}
    truth = ["expression", "valence", "arousal"]
    tables["efficientnetb1"][truth] = tables["resnet50"][truth]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        results = evaluate(tables, resamples=200, seed=1, calibration_bins=10)
    if images == 1:
        assert "emotion.accuracy: no interval, it is the same in all resamples" in results["resnet50"]["notes"]
