"""How well the expression is predicted: confusions, curves of one expression against the rest, reliability."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle
from scipy.stats import binomtest

from affect.core.labels import EXPRESSION_COLOURS, EXPRESSIONS
from affect.report.plot_data import MACRO
from affect.report.plots.style import NETWORK_COLOURS

# The sides of the squares that a plot of good curves is cut to.
CORNERS = (0.1, 0.2, 0.5)
# Fewer images say too little about an accuracy.
MIN_POOLED = 10
# More numbers of images have no room beside each other.
MAX_UPRIGHT = 12


@dataclass(frozen=True)
class CurveKind:
    """Curves in the unit square, which are the better the nearer they come to its corner (best_x, 1)."""

    name: str
    x: str
    y: str
    best_x: int
    x_label: str
    y_label: str


ROC = CurveKind("roc", "false_positive_rate", "true_positive_rate", 0, "False positive rate", "True positive rate")
PRECISION_RECALL = CurveKind("precision_recall", "recall", "precision", 1, "Recall", "Precision")


def plot_confusion(axes: Axes, table: pd.DataFrame) -> None:
    """Draw the share of each predicted expression among the images of each true one."""
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


def find_corner(table: pd.DataFrame, kind: CurveKind) -> float:
    """Return the side of the square at the best corner in whose nearer half every curve turns; 1 for the whole.

    table: the curves of all networks, so that all are drawn on the same axes.
    """
    distances = table.assign(distance=np.maximum((table[kind.x] - kind.best_x).abs(), 1 - table[kind.y]))
    furthest = distances.groupby(["backbone", "expression"])["distance"].min().max()
    return next((side for side in CORNERS if 2 * furthest <= side), 1.0)


def plot_curves(axes: Axes, table: pd.DataFrame, kind: CurveKind, side: float) -> None:
    """Draw the curves of each expression against the rest in a square at the best corner, and the whole in an inset."""
    _draw_curves(axes, table, kind)
    left, bottom, margin = kind.best_x * (1 - side), 1 - side, 0.02 * side
    axes.set(xlim=(left - margin, left + side + margin), ylim=(bottom - margin, 1 + margin))
    axes.set(xlabel=kind.x_label, ylabel=kind.y_label)
    axes.set(xticks=np.linspace(left, left + side, 6), yticks=np.linspace(bottom, 1, 6))
    axes.figure.legend(loc="outside lower center", ncols=5, columnspacing=1, handlelength=1)
    if side < 1:
        # Good curves leave this part of the square free.
        inset = axes.inset_axes((0.08 if kind.best_x else 0.57, 0.1, 0.36, 0.36))
        _draw_curves(inset, table, kind)
        inset.add_patch(Rectangle((left, bottom), side, side, fill=False, edgecolor="black", linewidth=0.8, zorder=3))
        inset.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xticks=(0, 1), yticks=(0, 1))
        inset.tick_params(labelsize=7.5)


def _draw_curves(axes: Axes, table: pd.DataFrame, kind: CurveKind) -> None:
    if kind is ROC:
        axes.plot([0, 1], [0, 1], color="lightgrey", linestyle=":")
    for name, curve in table.groupby("expression", sort=False):
        mean = name == MACRO
        colour = "black" if mean else EXPRESSION_COLOURS[str(name)]
        axes.plot(curve[kind.x], curve[kind.y], label=name, color=colour, linewidth=2 if mean else 1)


def pool_bins(table: pd.DataFrame) -> pd.DataFrame:
    """Pool neighbouring bins of confidence, from the highest down, until each holds MIN_POOLED images.

    table: as affect.evaluation.error_analysis.reliability returns it. A remainder with fewer images joins the lowest
    pool. Returns the columns low, high, confidence (its mean), right (images) and images.
    """
    counted = table.assign(confidence=table["confidence"] * table["images"], right=table["accuracy"] * table["images"])
    counted = counted.assign(pool=list(_number_pools(counted["images"].iloc[::-1].tolist()))[::-1])
    pooled = counted.groupby("pool", sort=False).agg(
        {"low": "min", "high": "max", "confidence": "sum", "right": "sum", "images": "sum"}
    )
    return pooled.assign(
        confidence=pooled["confidence"] / pooled["images"], right=pooled["right"].round().astype(int)
    ).reset_index(drop=True)


def _number_pools(images: list[int]) -> Iterator[int]:
    pool, pooled, remaining = 0, 0, sum(images)
    for n_images in images:
        yield pool
        pooled += n_images
        remaining -= n_images
        if pooled >= MIN_POOLED and remaining >= MIN_POOLED:
            pool, pooled = pool + 1, 0


def plot_reliability(axes: Axes, table: pd.DataFrame) -> None:
    """Draw the accuracy of the images that were predicted with a given confidence, with its 95 % interval (Wilson)."""
    pools = pool_bins(table)
    shares = pools["images"] / pools["images"].sum()
    axes.bar(pools["low"], shares, pools["high"] - pools["low"], align="edge", color="#e4e4e4", edgecolor="white")
    axes.plot([0, 1], [0, 1], color="grey", linestyle=":", linewidth=1)
    rotation = 90 if len(pools) > MAX_UPRIGHT else 0
    for low, high, confidence, right, images in pools.to_numpy():
        bounds = binomtest(int(right), int(images)).proportion_ci(method="wilson")
        axes.vlines(confidence, bounds.low, bounds.high, color=NETWORK_COLOURS[0], linewidth=1)
        axes.text((low + high) / 2, 0.015, f"{images:.0f}", ha="center", fontsize=7.5, rotation=rotation)
    axes.plot(pools["confidence"], pools["right"] / pools["images"], color=NETWORK_COLOURS[0], marker="o")
    axes.set(xlim=(0, 1.02), ylim=(0, 1.02), xlabel="Confidence (probability of the predicted expression)")
    axes.set(ylabel="Accuracy; share of images")
