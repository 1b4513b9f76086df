"""Plots show what they are drawn for: curves that hug a corner, and confidences that few images have."""

import pandas as pd
import pytest
from matplotlib.figure import Figure

from affect.report.plots.expressions import (
    PRECISION_RECALL,
    ROC,
    CurveKind,
    find_corner,
    plot_curves,
    plot_reliability,
    pool_bins,
)


def curve(kind: CurveKind, error: float, backbone: str = "resnet50") -> pd.DataFrame:
    """A curve whose nearest point to the best corner is `error` away on both axes."""
    ends = {ROC: ((0, 0), (1, 1)), PRECISION_RECALL: ((0, 1), (1, 0.1))}[kind]
    points = pd.DataFrame([ends[0], (abs(kind.best_x - error), 1 - error), ends[1]], columns=[kind.x, kind.y])
    return points.assign(backbone=backbone, expression="macro")


@pytest.mark.parametrize("kind", [ROC, PRECISION_RECALL])
def test_axes_are_cut_to_where_the_worst_curve_turns(kind: CurveKind) -> None:
    sides = [find_corner(curve(kind, error), kind) for error in (0.01, 0.04, 0.06, 0.2, 0.4)]
    assert sides == [0.1, 0.1, 0.2, 0.5, 1]
    both = pd.concat([curve(kind, 0.01), curve(kind, 0.2, "efficientnetb1")])
    assert find_corner(both, kind) == 0.5
    assert find_corner(both.head(0), kind) == 1


@pytest.mark.parametrize(("kind", "corner"), [(ROC, (0, 0.2)), (PRECISION_RECALL, (0.8, 1))])
def test_cut_axes_have_the_whole_in_an_inset(kind: CurveKind, corner: tuple[float, float]) -> None:
    axes = Figure().add_subplot()
    plot_curves(axes, curve(kind, 0.1), kind, 0.2)
    assert axes.get_xlim() == pytest.approx(corner, abs=0.01)
    assert axes.get_ylim() == pytest.approx((0.8, 1), abs=0.01)
    (inset,) = axes.child_axes
    assert inset.get_xlim() == inset.get_ylim() == pytest.approx((0, 1), abs=0.05)
    whole = Figure().add_subplot()
    plot_curves(whole, curve(kind, 0.4), kind, 1)
    assert whole.get_xlim() == whole.get_ylim() == pytest.approx((0, 1), abs=0.05)
    assert not whole.child_axes


def bins(*images: int) -> pd.DataFrame:
    """Bins from 0 up; in each, all images but one are predicted rightly."""
    edges = [number / len(images) for number in range(len(images) + 1)]
    table = pd.DataFrame({"low": edges[:-1], "high": edges[1:], "images": images})
    return table.assign(confidence=table["high"], accuracy=1 - 1 / table["images"])[table["images"] > 0]


def test_nearly_empty_bins_are_pooled_from_the_highest_down() -> None:
    pools = pool_bins(bins(0, 4, 9, 3, 5, 4, 10, 60, 9, 30))
    assert pools["images"].tolist() == [13, 12, 10, 69, 30]
    assert pools["low"].tolist()[1:] == pools["high"].tolist()[:-1]


def test_a_pool_has_the_mean_of_its_images() -> None:
    pools = pool_bins(bins(2, 8))
    assert pools.to_dict("list") == {
        **{"low": [0.0], "high": [1.0], "confidence": [pytest.approx((2 * 0.5 + 8 * 1) / 10)]},
        **{"right": [8], "images": [10]},
    }
    assert pool_bins(bins(1, 2))["images"].tolist() == [3]
    assert pool_bins(bins(40, 10, 12))["images"].tolist() == [40, 10, 12]


def test_the_reliability_plot_says_how_many_images_a_bin_has() -> None:
    axes = Figure().add_subplot()
    plot_reliability(axes, bins(3, 9, 40, 1200))
    assert [text.get_text() for text in axes.texts] == ["12", "40", "1200"]
