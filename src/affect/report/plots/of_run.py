"""The plots of the report, as SVG that is the same for the same data."""

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from affect.core.labels import EXPRESSION_COLOURS, EXPRESSIONS
from affect.report.plot_data import MEASURES
from affect.report.plots.expressions import (
    MIN_POOLED,
    PRECISION_RECALL,
    ROC,
    find_corner,
    plot_confusion,
    plot_curves,
    plot_reliability,
)
from affect.report.plots.style import NETWORK_COLOURS, Plot, make_plot


def plot_all(data: Mapping[str, pd.DataFrame]) -> Iterator[Plot]:
    """Plot the results of all networks.

    data: the tables of affect.report.plot_data by name, each with a column `backbone`: curves, confusion, roc,
    precision_recall, circumplex, reliability.
    """
    for measure, curves in data["curves"].groupby("measure", sort=False):
        title = MEASURES[str(measure)]
        caption = "After each epoch, on the validation images (solid) and on the training images (dashed)."
        yield make_plot(title, caption, partial(_training_curves, table=curves, measure=title))
    sides = {kind.name: find_corner(data[kind.name], kind) for kind in (ROC, PRECISION_RECALL)}
    for name, title, caption, paint in (
        (
            "confusion",
            "confusion matrix",
            "Share of the images of each true expression (row) by predicted expression (column).",
            plot_confusion,
        ),
        ("roc", "ROC", _explain(sides["roc"]), partial(plot_curves, kind=ROC, side=sides["roc"])),
        (
            "precision_recall",
            "precision and recall",
            _explain(sides["precision_recall"]),
            partial(plot_curves, kind=PRECISION_RECALL, side=sides["precision_recall"]),
        ),
        (
            "circumplex",
            "valence and arousal",
            "Each image's prediction (dot); an arrow leads from an expression's true mean (ring) to its predicted one.",
            plot_circumplex,
        ),
        (
            "reliability",
            "reliability",
            "Accuracy of the images that were predicted with a given confidence, and its 95 % interval (Wilson). On "
            "the dotted line both are equal. Grey bars are the share of the images, on them their number. For this "
            f"plot, neighbouring bins are pooled, from the highest down, until each holds {MIN_POOLED} images.",
            plot_reliability,
        ),
    ):
        for backbone, table in data[name].groupby("backbone", sort=False):
            paint_table = partial(paint, table=table)
            yield make_plot(f"{backbone}: {title}", caption, paint_table)


def _explain(side: float) -> str:
    caption = "Each expression against the rest, and the mean of these curves (macro)."
    if side == 1:
        return caption
    return f"{caption} The axes are cut to the corner where the curves turn; the inset shows them whole."


def _training_curves(axes: Axes, table: pd.DataFrame, measure: str) -> None:
    axes.set(xlabel="Epoch", ylabel=measure)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    for (backbone, curves), colour in zip(table.groupby("backbone", sort=False), NETWORK_COLOURS, strict=False):
        for images, curve in curves.groupby("images"):
            solid = images == "validation"
            axes.plot(
                curve["epoch"],
                curve["value"],
                color=colour,
                linestyle="-" if solid else "--",
                marker="." if solid else None,
                label=backbone if solid else None,
            )
    axes.legend()


def plot_circumplex(axes: Axes, table: pd.DataFrame) -> None:
    """Draw predictions and the means of each expression; table: as affect.report.plot_data.circumplex returns it."""
    angles = np.linspace(0, 2 * np.pi, 200)
    axes.plot(np.cos(angles), np.sin(angles), color="lightgrey", linewidth=1)
    axes.axhline(0, color="lightgrey", linewidth=0.8)
    axes.axvline(0, color="lightgrey", linewidth=0.8)
    means = table.groupby(["expression", "side"])[["valence", "arousal"]].mean()
    predictions = table[table["side"] == "prediction"]
    for name in EXPRESSIONS:
        points = predictions[predictions["expression"] == name]
        if points.empty:
            continue
        colour = EXPRESSION_COLOURS[str(name)]
        axes.scatter(points["valence"], points["arousal"], s=5, color=colour, alpha=0.35, linewidths=0)
        true, predicted = (tuple(means.xs((name, side))) for side in ("truth", "prediction"))
        axes.scatter(
            [true[0]], [true[1]], s=45, facecolors="white", edgecolors=colour, linewidths=1.5, zorder=3, label=name
        )
        axes.annotate("", predicted, true, arrowprops={"arrowstyle": "->", "color": colour, "linewidth": 1.5})
    axes.set(xlim=(-1.05, 1.05), ylim=(-1.05, 1.05), aspect="equal")
    axes.set(xlabel="Valence (−1 negative, 1 positive)", ylabel="Arousal (−1 calm, 1 excited)")
    axes.set(xticks=(-1, -0.5, 0, 0.5, 1), yticks=(-1, -0.5, 0, 0.5, 1))
    axes.figure.legend(loc="outside lower center", ncols=4)
