"""Measure how much data helps: train on 1/8, 1/4, 1/2 and all of the training images: `make curve`.

`python src/curve.py --fractions 0.5,1.0 -S train.epochs=10` has other shares and further parameters. The experiments
are called curve-1, curve-2 and so on, and are run and found again as those of a sweep: the same command goes on after
an interruption. It ends with Markdown tables, and writes metrics/learning_curve.csv and .svg once all have succeeded.
"""

import argparse
import sys

from affect.core.files import write_table, write_text
from affect.core.places import require_place
from affect.experiments.results.learning_curve import read_points, show_points
from affect.experiments.sweep.plan import plan_variants
from affect.experiments.sweep.running import add_overrides, run_sweep
from affect.plumbing import paths
from affect.plumbing.errors import InputError
from affect.plumbing.stage import run_command
from affect.report.plots.learning_curve import plot_learning_curve

FRACTIONS = "0.125,0.25,0.5,1.0"


def main() -> None:
    """Run the command."""
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("--fractions", default=FRACTIONS, help=f"of the training images (default: {FRACTIONS})")
    add_overrides(command)
    arguments = command.parse_args()
    varied = {"data.train_fraction": read_fractions(arguments.fractions)}
    for file in (paths.LEARNING_CURVE, paths.LEARNING_CURVE_PLOT):
        require_place(file)
    finished = run_sweep(plan_variants(varied, arguments.overrides), "curve")
    if finished.runs:
        points = read_points([run for _, run in finished.runs])
        print(show_points(points), flush=True)
    finished.require_all()
    write_table(paths.LEARNING_CURVE, points)
    write_text(paths.LEARNING_CURVE_PLOT, plot_learning_curve(points))
    print(f"curve: {paths.LEARNING_CURVE}, {paths.LEARNING_CURVE_PLOT}", file=sys.stderr)


def read_fractions(text: str) -> list[float]:
    """Return numbers that commas separate. Raises InputError for others than such above 0 and up to 1, each once."""
    try:
        fractions = [float(part) for part in text.split(",")]
    except ValueError:
        fractions = []
    if not fractions or not all(0 < each <= 1 for each in fractions) or len(set(fractions)) < len(fractions):
        raise InputError(f"--fractions {text}: give shares above 0 and up to 1, each once, such as {FRACTIONS}")
    return fractions


if __name__ == "__main__":
    run_command(main)
