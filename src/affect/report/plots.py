"""The plots of the report, as SVG that is the same for the same data."""

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from affect.core.labels import EXPRESSIONS
from affect.report.plot_data import MACRO, MEASURES

# A fixed hash salt makes the SVG reproducible; text is kept as text.
STYLE: Any = {
    "svg.hashsalt": "affect",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "legend.frameon": False,
    "legend.fontsize": 8,
}
SIZE = (4.4, 3.4)
COLOURS = dict(
    zip(
        EXPRESSIONS,
        ("#7f7f7f", "#bcbd22", "#1f77b4", "#17becf", "#9467bd", "#2ca02c", "#d62728", "#8c564b"),
        strict=True,
    )
)
NETWORK_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")


@dataclass(frozen=True)
class Plot:
    """A plot: its caption and its SVG."""

    caption: str
    svg: str


def plot_all(data: Mapping[str, pd.DataFrame]) -> Iterator[Plot]:
    """Plot the results of all networks.

    data: the tables of affect.report.plot_data by name, each with a column `backbone`: curves, confusion, roc,
    precision_recall, circumplex, reliability.
    """
    for measure, curves in data["curves"].groupby("measure", sort=False):
        title = MEASURES[str(measure)]
        caption = "After each epoch, on the validation images (solid) and on the training images (dashed)."
        yield _plot(title, caption, partial(_training_curves, table=curves, measure=title))
    for name, title, caption, paint in (
        (
            "confusion",
            "confusion matrix",
            "Share of the images of each true expression (row) by predicted expression (column).",
            _confusion,
        ),
        ("roc", "ROC", "Each expression against the rest, and the mean of these curves.", _roc),
        (
            "precision_recall",
            "precision and recall",
            "Each expression against the rest, and the mean of these curves.",
            _precision_recall,
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
            "Accuracy of the images that were predicted with a given confidence. On the dotted line both are equal; "
            "grey bars are the share of the images.",
            _reliability,
        ),
    ):
        for backbone, table in data[name].groupby("backbone", sort=False):
            paint_table = partial(paint, table=table)
            yield _plot(f"{backbone}: {title}", caption, paint_table)


def _plot(title: str, caption: str, paint: Callable[[Axes], None]) -> Plot:
    with mpl.rc_context(STYLE):
        canvas = Figure(figsize=SIZE, layout="constrained")
        axes = canvas.add_subplot()
        axes.set_title(title)
        paint(axes)
        file = io.StringIO()
        canvas.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return Plot(f"{title}. {caption}", file.getvalue())


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


def _confusion(axes: Axes, table: pd.DataFrame) -> None:
    shares = table["share"].to_numpy().reshape(len(EXPRESSIONS), -1)
    axes.pcolormesh(shares, cmap="Blues", vmin=0, vmax=1, edgecolors="white", linewidth=0.5)
    for (row, column), share in np.ndenumerate(shares):
        if share:
            colour = "white" if share > 0.5 else "black"
            axes.text(column + 0.5, row + 0.5, f"{share:.2f}", ha="center", va="center", color=colour, fontsize=7.5)
    places = np.arange(len(EXPRESSIONS)) + 0.5
    axes.set_xticks(places, EXPRESSIONS, rotation=45, ha="right")
    axes.set_yticks(places, EXPRESSIONS)
    axes.invert_yaxis()
    axes.set(xlabel="Predicted expression", ylabel="True expression")


def _roc(axes: Axes, table: pd.DataFrame) -> None:
    axes.plot([0, 1], [0, 1], color="lightgrey", linestyle=":")
    _curves(axes, table, "false_positive_rate", "true_positive_rate")
    axes.set(xlabel="False positive rate", ylabel="True positive rate")


def _precision_recall(axes: Axes, table: pd.DataFrame) -> None:
    _curves(axes, table, "recall", "precision")
    axes.set(xlabel="Recall", ylabel="Precision")


def _curves(axes: Axes, table: pd.DataFrame, x: str, y: str) -> None:
    for name, curve in table.groupby("expression", sort=False):
        mean = name == MACRO
        axes.plot(
            curve[x],
            curve[y],
            label=name,
            color="black" if mean else COLOURS[str(name)],
            linewidth=2 if mean else 1,
        )
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.legend(loc="lower left" if x == "recall" else "lower right", ncols=2)


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
        colour = COLOURS[str(name)]
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


def _reliability(axes: Axes, table: pd.DataFrame) -> None:
    axes.bar(table["confidence"], table["images"] / table["images"].sum(), width=0.04, color="lightgrey")
    axes.plot([0, 1], [0, 1], color="lightgrey", linestyle=":")
    axes.plot(table["confidence"], table["accuracy"], color=NETWORK_COLOURS[0], marker="o")
    axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="Confidence (probability of the predicted expression)")
    axes.set(ylabel="Accuracy; share of images")
