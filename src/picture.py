"""Draw the README's picture, held-out faces with the first network's predictions and the circumplex: `make picture`."""

from pathlib import Path

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from affect.core.files import atomic_file
from affect.core.labels import EXPRESSION_COLOURS, EXPRESSIONS
from affect.core.places import require_place
from affect.core.records import read_records
from affect.evaluation.error_analysis import worst_errors
from affect.plumbing import paths
from affect.plumbing.errors import InputError
from affect.plumbing.params import load_params
from affect.plumbing.stage import run_command
from affect.report.plots.of_run import plot_circumplex
from affect.report.plots.style import STYLE
from affect.report.run_results import read_results

COLUMNS = 6
WRONG = 4
# In inches of 100 pixels each.
SIZE = (12, 4.6)


def main() -> None:
    """Run the command."""
    require_place(paths.PICTURE)
    params = load_params()
    if Path(params.data.raw) != paths.SAMPLE:
        raise InputError(f"data.raw is not {paths.SAMPLE}; {paths.PICTURE} is in git and must show nobody's photograph")
    held_out = read_records(paths.PREPARED).select(read_results(paths.METRICS).evaluate["split"])
    backbone = params.backbones[0]
    predictions = pd.read_csv(paths.PREDICTIONS / f"{backbone}.csv", dtype={"id": str})
    circumplex = pd.read_csv(paths.PLOTS / "circumplex.csv").query("backbone == @backbone")
    if predictions["id"].tolist() != held_out.index["id"].tolist():
        raise InputError(f"{paths.PREDICTIONS} and {paths.PREPARED} are not of one run; run dvc repro first")
    shown = choose(predictions)
    with mpl.rc_context(STYLE):
        picture = Figure(figsize=SIZE, layout="constrained")
        grid = picture.add_gridspec(1, 2, width_ratios=(1.75, 1))
        left, right = (picture.add_subfigure(grid[side]) for side in (0, 1))
        for place, row in enumerate(shown.index.to_list(), start=1):
            axes = left.add_subplot(-(-len(shown) // COLUMNS), COLUMNS, place)
            axes.imshow(held_out.images[row])
            caption(axes, shown.loc[row])
        plot_circumplex(right.add_subplot(), circumplex)
        with atomic_file(paths.PICTURE) as temporary:
            picture.savefig(temporary, format="png", dpi=100, metadata={"Software": None})
    print(f"picture: {paths.PICTURE}")


def choose(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return a rightly predicted face of each expression, and the worst errors."""
    right = predictions[predictions["expression"] == predictions["predicted_expression"]]
    return pd.concat([right.drop_duplicates("expression").sort_values("expression"), worst_errors(predictions, WRONG)])


def caption(axes: Axes, face: pd.Series) -> None:
    """Write under a face what it shows, what was predicted, and both valence and arousal."""
    true, predicted = EXPRESSIONS[face["expression"]], EXPRESSIONS[face["predicted_expression"]]
    wrong = true != predicted
    title = f"{true}, taken\nfor {predicted}" if wrong else true
    axes.set_title(title, color="#d62728" if wrong else "black", fontsize=8)
    axes.set_xlabel(
        f"valence {face['valence']:.2f} → {face['predicted_valence']:.2f}\n"
        f"arousal {face['arousal']:.2f} → {face['predicted_arousal']:.2f}",
        fontsize=7.5,
    )
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(visible=True, color=EXPRESSION_COLOURS[predicted], linewidth=2.5)


if __name__ == "__main__":
    run_command(main)
