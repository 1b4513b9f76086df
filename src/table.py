"""Print a row for each experiment, over all commits, with the parameters that differ: `make table`."""

import argparse
import sys

from rich.console import Console

from affect.experiments.reading import read_experiments
from affect.experiments.results.table import MAX_WIDTH, print_table
from affect.plumbing.stage import run_command


def main() -> None:
    """Run the command."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    terminal = Console(highlight=False, markup=False, emoji=False)
    # A file or a pager is as wide as the table.
    width = min(terminal.width, MAX_WIDTH) if sys.stdout.isatty() else MAX_WIDTH
    print_table(read_experiments(), Console(highlight=False, markup=False, emoji=False, width=width))


if __name__ == "__main__":
    run_command(main)
