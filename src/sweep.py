"""Run an experiment for each combination: `python src/sweep.py -S train.seed=1,2,3 -S augment.copies=4,0`.

Each runs in a clone of the last commit and is an experiment of DVC in the end: one after the other, or with --engine
slurm or ray as jobs, as many at once as there is room for (docs/scale.md). Those that have
been run are found by their parameters: the same command goes on after an interruption, and a longer list runs what is
new. It ends with a Markdown table of the metrics: mean and deviation over the seeds, or the experiments side by side.
"""

import argparse
import re

from affect.experiments.results.summary import summarise
from affect.experiments.sweep.engines import ENGINES, Choice
from affect.experiments.sweep.plan import plan_sweep, swept_names
from affect.experiments.sweep.running import add_overrides, run_sweep
from affect.plumbing.errors import InputError
from affect.plumbing.stage import run_command


def main() -> None:
    """Run the command."""
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("--name", default="sweep", help="the experiments are called NAME-1, NAME-2 ...")
    add_overrides(command, required=True)
    command.add_argument("--engine", choices=ENGINES, default=ENGINES[0], help="what runs them: this machine, or jobs")
    command.add_argument(
        *("-R", "--resource"),
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="what a job takes, as submitit (gpus_per_node=1) or Ray (num_gpus=1) names it",
    )
    arguments = command.parse_args()
    if not re.fullmatch(r"\w[\w-]*(\.[\w-]+)*", arguments.name):
        raise InputError(f"--name {arguments.name}: a name has letters, digits, _, - and single . only")
    finished = run_sweep(
        plan_sweep(arguments.overrides), arguments.name, Choice(arguments.engine, tuple(arguments.resource))
    )
    if finished.runs:
        print(summarise(finished.runs, swept_names(arguments.overrides)))
    finished.require_all()


if __name__ == "__main__":
    run_command(main)
