"""The plots of a network's maps and features."""

from collections.abc import Iterator
from functools import partial
from itertools import product
from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from affect.core.labels import EXPRESSION_COLOURS, EXPRESSIONS
from affect.report.plots.style import NETWORK_COLOURS, Plot, make_plot

METHOD_LABELS = {
    "random": "random",
    "random_attention": "random, as attention",
    "centre": "the middle",
    "hirescam": "HiResCAM",
    "gradcam": "Grad-CAM",
    "attention": "attention",
}
BASELINES = ("random", "random_attention", "centre")
_COLOURS = dict(zip(METHOD_LABELS, ("#999999", "#c9a66b", "#333333", *NETWORK_COLOURS), strict=False))
_DOTS: Any = {"s": 8, "linewidths": 0}
_KINDS = {
    "deletion": ("made grey", "lower is better"),
    "insertion": ("seen in a blurred picture", "higher is better"),
}
_SCORES = {
    "emotion": "Probability of the expression",
    "valence": "Valence towards its side",
    "arousal": "Arousal towards its side",
}


def plot_faithfulness(curves: pd.DataFrame) -> Iterator[Plot]:
    """Yield the mean curves of deletion and insertion of each task.

    curves: the columns method, task, kind, share and score.
    """
    for task, kind in product(curves["task"].unique(), _KINDS):
        table = curves[(curves["task"] == task) & (curves["kind"] == kind)]
        done, better = _KINDS[kind]
        title = f"{'expression' if task == 'emotion' else task}: {kind}"
        caption = f"The share of the pixels that is {done}, in the order of each method's map; {better}."
        yield make_plot(title, caption, partial(_plot_curves, table=table, label=_SCORES[task], done=done))


def plot_features(features: pd.DataFrame) -> Iterator[Plot]:
    """Yield the faces in the plane of their features, by expression and by valence.

    features: the columns expression, valence, first and second.
    """
    yield make_plot(
        "features by expression", "A dot for each held-out face.", partial(_plot_expressions, table=features)
    )
    if features["valence"].notna().any():
        caption = "The same dots, coloured by the true valence; grey where it is not known."
        yield make_plot("features by valence", caption, partial(_plot_valence, table=features))


def _plot_curves(axes: Axes, table: pd.DataFrame, label: str, done: str) -> None:
    for method, curve in table.groupby("method", sort=False):
        style = "--" if method in BASELINES else "-"
        axes.plot(curve["share"], curve["score"], style, color=_COLOURS[str(method)], label=METHOD_LABELS[str(method)])
    axes.set(xlabel=f"Share of the pixels that is {done}", ylabel=label, xlim=(0, 1))
    axes.legend()


def _plot_expressions(axes: Axes, table: pd.DataFrame) -> None:
    for number, name in enumerate(EXPRESSIONS):
        points = table[table["expression"] == number]
        if len(points):
            axes.scatter(
                points["first"], points["second"], s=8, color=EXPRESSION_COLOURS[name], label=name, linewidths=0
            )
    _name_axes(axes)
    axes.figure.legend(loc="outside lower center", ncols=4)


def _plot_valence(axes: Axes, table: pd.DataFrame) -> None:
    unknown = table[table["valence"].isna()]
    axes.scatter(unknown["first"], unknown["second"], color="#cccccc", **_DOTS)
    known = table[table["valence"].notna()]
    values: Any = {"c": known["valence"], "cmap": "coolwarm", "vmin": -1, "vmax": 1}
    dots = axes.scatter(known["first"], known["second"], **values, **_DOTS)
    axes.figure.colorbar(dots, ax=axes, label="Valence")
    _name_axes(axes)


def _name_axes(axes: Axes) -> None:
    axes.set(xlabel="First principal component", ylabel="Second", xticks=(), yticks=())
