"""The plot of a learning curve: metrics against the number of training images, with intervals."""

import io
from collections.abc import Mapping

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

from affect.report.plots.style import NETWORK_COLOURS, SIZE, STYLE
from affect.report.run_results import LABELS

PANELS = (("emotion", "accuracy"), ("valence", "ccc"), ("arousal", "ccc"))
# Neighbouring networks stand so far apart, as a ratio of images, lest one interval hides another.
DODGE = 1.03
TITLES = {"emotion": "expression"}


def plot_learning_curve(points: pd.DataFrame) -> str:
    """Return an SVG, the same for the same points, with a panel for accuracy and for each CCC that any network has.

    points: columns training_images, backbone, task, metric, value, and low and high of its interval, NaN where none.
    """
    names = list(zip(points["task"], points["metric"], strict=True))
    panels = [panel for panel in PANELS if panel in names]
    colours = dict(zip(points["backbone"].unique(), NETWORK_COLOURS, strict=False))
    with mpl.rc_context(STYLE):
        width, height = SIZE
        canvas = Figure(figsize=(width * 0.8 * len(panels), height), layout="constrained")
        for place, (task, metric) in enumerate(panels, start=1):
            axes = canvas.add_subplot(1, len(panels), place)
            _plot_metric(axes, points[(points["task"] == task) & (points["metric"] == metric)], colours)
            axes.set_title(f"{TITLES.get(task, task)} {LABELS[metric]}")
        handles, labels = canvas.axes[0].get_legend_handles_labels()
        canvas.legend(handles, labels, loc="outside lower center", ncols=len(labels), title="with 95 % intervals")
        file = io.StringIO()
        canvas.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return file.getvalue()


def _plot_metric(axes: Axes, points: pd.DataFrame, colours: Mapping[str, str]) -> None:
    for number, (network, colour) in enumerate(colours.items()):
        curve = points[points["backbone"] == network]
        n_images = curve["training_images"] * DODGE ** (number - (len(colours) - 1) / 2)
        axes.plot(n_images, curve["value"], color=colour, marker="o", markersize=4, label=network)
        known = curve["low"].notna()
        axes.vlines(n_images[known], curve["low"][known], curve["high"][known], color=colour, linewidth=1.2)
    axes.set(xscale="log", xlabel="Training images")
    axes.xaxis.set_major_locator(FixedLocator(sorted(points["training_images"].unique())))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.grid(axis="y", color="lightgrey", linewidth=0.6)
