"""Measure which pieces of a recipe carry it: train with all of them, and without each in turn: `make recipe`.

    python src/recipe.py --folds 3 -S train.mixup=0.2 -S model.dropout=0.4 -S data.raw=data/mine

Without a piece its parameters are as in params.yaml; an -S that is of no piece applies to all. --tasks trains each task
alone as well. --whole compares with params.yaml's recipe as a whole instead: of -S it has what is no recipe, such as
data, sample, backbones, initial weights and seeds.

The experiments are called recipe-1, recipe-2 and so on, and are run and found again as those of a sweep: the same
command goes on after an interruption. It ends with a Markdown table for each network.
"""

import argparse
from collections.abc import Mapping, Sequence

from affect.experiments.results.pieces import show_pieces
from affect.experiments.sweep.plan import Combination, plan_variants, swept_names
from affect.experiments.sweep.running import add_overrides, run_sweep
from affect.plumbing.errors import InputError
from affect.plumbing.params import load_params
from affect.plumbing.stage import run_command

FULL = "all pieces"
DEFAULT = "params.yaml's recipe"
# What belongs to a recipe as a whole, by the beginnings of its parameters' names, and what does not all the same.
RECIPE = ("augment.", "model.", "train.", "evaluate.mirror")
NO_RECIPE = ("augment.seed", "model.weights", "train.backend", "train.cache_limit", "train.precision", "train.seed")
# Pieces that are one idea, by the parameters of params.yaml that switch them on.
PIECES = {
    "augmentation": ("augment.online",),
    "grey and erasing": ("augment.grey", "augment.erase"),
    "mixup, CutMix": ("train.mixup", "train.cutmix"),
    "label smoothing": ("train.label_smoothing",),
    "dropout": ("model.dropout",),
    "averaged weights": ("train.weight_averaging",),
    "sampling": ("train.sampling",),
    "weight decay": ("train.weight_decay",),
    "cosine, warm-up": ("train.schedule", "train.warm_up"),
    "which layers train": ("model.fine_tune_layers", "model.freeze_batch_norm"),
    "loss of V/A": ("train.va_loss",),
    "mirror": ("evaluate.mirror",),
}
TASK_WEIGHTS = {task: f"train.loss_weights.{task}" for task in ("emotion", "valence", "arousal")}


def main() -> None:
    """Run the command."""
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("--folds", type=int, metavar="K", help="cross-validate each, in so many folds")
    command.add_argument("--whole", action="store_true", help="compare with params.yaml's recipe as a whole")
    command.add_argument("--tasks", action="store_true", help="train each task alone as well")
    add_overrides(command, required=True)
    arguments = command.parse_args()
    if arguments.folds is not None and arguments.folds < 2:
        raise InputError(f"--folds {arguments.folds}: at least 2, one to be predicted and one to train on")
    if arguments.whole and arguments.tasks:
        command.error("--whole compares two recipes; --tasks goes with their pieces")
    # Refuses what params.yaml does not have before anything is made of it.
    plan(arguments.overrides, arguments.folds)
    variants = {name: plan(overrides, arguments.folds) for name, overrides in list_variants(arguments).items()}
    refuse_same(variants)
    finished = run_sweep([each for planned in variants.values() for each in planned], "recipe")
    finished.require_all()
    runs = {combination.key: run for combination, run in finished.runs}
    found = {name: [runs[each.key] for each in planned] for name, planned in variants.items()}
    print(show_pieces(found, {f"{task} alone": task for task in TASK_WEIGHTS}))


def list_variants(arguments: argparse.Namespace) -> dict[str, list[str]]:
    """Return the overrides of each variant by its name: all pieces, without each that is there, and each task alone."""
    given = arguments.overrides
    names = {override: swept_names([override])[0] for override in given}
    variants = {FULL: given}
    if arguments.whole:
        others = [override for override in given if not is_of_recipe(names[override])]
        return variants | {DEFAULT: others or same()}
    for piece, parameters in PIECES.items():
        without = [override for override in given if names[override] not in parameters]
        if len(without) < len(given):
            variants[f"without {piece}"] = without or same()
    if len(variants) == 1:
        raise InputError(f"-S {' -S '.join(given)}: no piece of a recipe among them")
    if arguments.tasks:
        variants |= {f"{task} alone": [*given, *silence(task)] for task in TASK_WEIGHTS}
    return variants


def is_of_recipe(name: str) -> bool:
    """Whether a parameter belongs to a recipe, rather than to what a recipe is tried on."""
    return name.startswith(RECIPE) and name not in NO_RECIPE


def refuse_same(variants: Mapping[str, Sequence[Combination]]) -> None:
    """Raise InputError where two variants have the same parameters, so that there is nothing to compare."""
    names: dict[str, str] = {}
    for name, planned in variants.items():
        other = names.setdefault(planned[0].key, name)
        if other != name:
            raise InputError(f"{name}: the same parameters as {other}; set what {name} would lack to another value")


def same() -> list[str]:
    """Return an override that changes nothing, which a plan needs."""
    return [f"train.seed={load_params().train.seed}"]


def silence(task: str) -> Sequence[str]:
    """Return the overrides that let a network learn this task alone."""
    return [f"{weight}=0.0" for other, weight in TASK_WEIGHTS.items() if other != task]


def plan(overrides: Sequence[str], folds: int | None) -> list[Combination]:
    """Return the experiments of a variant: one, or one for each fold."""
    varied = {"data.folds": [folds], "data.fold": range(1, folds + 1)} if folds else {}
    return plan_variants(varied, overrides)


if __name__ == "__main__":
    run_command(main)
