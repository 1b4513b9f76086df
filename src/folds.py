"""Cross-validate: predict each fold by networks that were trained on the others: `make folds`, `make folds FOLDS=3`.

`python src/folds.py --folds 3 -S train.epochs=10` has further parameters. The experiments are called folds-1, folds-2
and so on, and are run and found again as those of a sweep: the same command goes on after an interruption. It ends with
Markdown tables: mean and deviation over the folds, and the metrics of the pooled predictions of all images.
"""

import argparse

from affect.experiments.results.pooled_table import show_pooled
from affect.experiments.results.pooling import evaluate_pooled
from affect.experiments.results.summary import summarise
from affect.experiments.sweep.plan import plan_variants
from affect.experiments.sweep.running import add_overrides, run_sweep
from affect.plumbing.errors import InputError
from affect.plumbing.stage import run_command

FOLD = "data.fold"


def main() -> None:
    """Run the command."""
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("--folds", type=int, default=5, metavar="K", help="number of folds (default: 5)")
    add_overrides(command)
    arguments = command.parse_args()
    if arguments.folds < 2:
        raise InputError(f"--folds {arguments.folds}: at least 2, one to be predicted and one to train on")
    if given := [override for override in arguments.overrides if override.startswith(("data.folds=", f"{FOLD}="))]:
        raise InputError(f"-S {given[0]}: --folds says how many folds there are, and each is run")
    varied = {"data.folds": [arguments.folds], FOLD: range(1, arguments.folds + 1)}
    finished = run_sweep(plan_variants(varied, arguments.overrides), "folds")
    if finished.runs:
        print(summarise(finished.runs, [FOLD]), flush=True)
    finished.require_all()
    print(f"\n{show_pooled(evaluate_pooled([run for _, run in finished.runs]))}")


if __name__ == "__main__":
    run_command(main)
