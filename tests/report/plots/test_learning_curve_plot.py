"""The plot of a learning curve."""

import re

import numpy as np
import pandas as pd

from affect.report.plots.learning_curve import plot_learning_curve
from affect.report.plots.style import NETWORK_COLOURS

SIZES = (500, 1000, 2000, 3999)


def make_points(tasks: tuple[str, ...] = ("emotion", "valence", "arousal")) -> pd.DataFrame:
    rows = [
        {"training_images": n_images, "backbone": network, "task": task, "metric": metric, "value": value}
        for network in ("resnet50", "densenet121")
        for place, n_images in enumerate(SIZES)
        for task in tasks
        for metric, value in ({"accuracy": place / 4, "f1": 0.5} if task == "emotion" else {"ccc": place / 5}).items()
    ]
    points = pd.DataFrame(rows)
    return points.assign(low=points["value"] - 0.1, high=points["value"] + 0.1)


def count_intervals(svg: str) -> int:
    """How many vertical lines the collections of intervals have."""
    return sum(group.count("<path") for group in re.findall(r'<g id="LineCollection_\d+">.*?</g>', svg, re.DOTALL))


def test_a_panel_for_accuracy_and_each_ccc_with_every_network_and_size() -> None:
    svg = plot_learning_curve(make_points())
    texts = re.findall(r"<text[^>]*>([^<]+)</text>", svg)
    assert [text for text in texts if text in ("expression accuracy", "valence CCC", "arousal CCC")] == [
        *("expression accuracy", "valence CCC", "arousal CCC")
    ]
    assert [texts.count(size) for size in ("500", "1,000", "2,000", "3,999")] == [3, 3, 3, 3]
    assert [texts.count(network) for network in ("resnet50", "densenet121")] == [1, 1]
    assert all(colour in svg for colour in NETWORK_COLOURS[:2])
    assert count_intervals(svg) == 3 * 2 * len(SIZES)


def test_the_same_points_give_the_same_bytes() -> None:
    assert plot_learning_curve(make_points()) == plot_learning_curve(make_points())


def test_a_point_without_an_interval_is_drawn_without_one() -> None:
    points = make_points()
    points.loc[(points["training_images"] == 500) & (points["task"] == "valence"), ["low", "high"]] = np.nan
    assert count_intervals(plot_learning_curve(points)) == 3 * 2 * len(SIZES) - 2


def test_without_valence_and_arousal_accuracy_stands_alone() -> None:
    svg = plot_learning_curve(make_points(("emotion",)))
    assert "expression accuracy" in svg
    assert "CCC" not in svg
