"""How all plots look."""

import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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
NETWORK_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")


@dataclass(frozen=True)
class Plot:
    """A plot: its caption and its SVG."""

    caption: str
    svg: str


def make_plot(title: str, caption: str, paint: Callable[[Axes], None]) -> Plot:
    """Return a plot, whose SVG is the same for the same data."""
    with mpl.rc_context(STYLE):
        canvas = Figure(figsize=SIZE, layout="constrained")
        axes = canvas.add_subplot()
        axes.set_title(title)
        paint(axes)
        file = io.StringIO()
        canvas.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return Plot(f"{title}. {caption}", file.getvalue())
