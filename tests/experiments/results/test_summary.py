"""The table that a sweep ends with."""

import math

from affect.experiments.reading import Experiment
from affect.experiments.results.summary import summarise
from affect.experiments.sweep.plan import Combination


def run(accuracy: float, **params: object) -> tuple[Combination, Experiment]:
    named = {name.replace("_", ".", 1): value for name, value in params.items()}
    metrics = {(network, "emotion", "accuracy"): accuracy for network in ("resnet50", "densenet121")}
    overrides = tuple(f"{name}={value}" for name, value in named.items())
    return Combination(overrides, named), Experiment("run", "a" * 40, "b" * 40, "success", named, metrics)


def test_seeds_are_averaged_within_each_of_the_other_values() -> None:
    runs = [run(0.1, train_seed=1, augment_copies=4), run(0.3, train_seed=2, augment_copies=4)]
    runs += [run(0.5, train_seed=1, augment_copies=0)]
    assert (
        summarise(runs, ["train.seed", "augment.copies"])
        == """\
Mean ± standard deviation over 2 runs of augment.copies=4, train.seed 1, 2; 1 run of augment.copies=0, train.seed 1:

| metric                       | augment.copies=4 | augment.copies=0 |
|------------------------------|------------------|------------------|
| resnet50 emotion accuracy    | 0.200 ± 0.141    | 0.500            |
| densenet121 emotion accuracy | 0.200 ± 0.141    | 0.500            |"""
    )


def test_without_seeds_the_experiments_stand_side_by_side() -> None:
    runs = [run(0.1, augment_copies=4), run(0.3, augment_copies=0)]
    assert (
        summarise(runs, ["augment.copies"])
        == """\
The experiments' metrics:

| metric                       | run: augment.copies=4 | run: augment.copies=0 |
|------------------------------|-----------------------|-----------------------|
| resnet50 emotion accuracy    | 0.100                 | 0.300                 |
| densenet121 emotion accuracy | 0.100                 | 0.300                 |"""
    )


def test_a_correlation_of_nothing_has_no_sign() -> None:
    assert "| emotion accuracy | 0.000    | 0.000       |" in summarise(
        [run(-0.0001, augment_copies=4)], ["augment.copies"]
    )


def test_a_mean_over_fewer_runs_than_the_heading_says_tells_it() -> None:
    runs = [run(accuracy, train_seed=seed) for seed, accuracy in enumerate((0.1, math.nan, 0.3))]
    assert "| emotion accuracy | 0.200 ± 0.141 (2 of 3) |" in summarise(runs, ["train.seed"])
    assert "| emotion accuracy | 0.100 (1 of 2) |" in summarise(runs[:2], ["train.seed"])
    assert "| emotion accuracy | undefined |" in summarise(runs[1:2], ["train.seed"])
