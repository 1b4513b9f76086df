"""How all plots look."""

from typing import Any

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
