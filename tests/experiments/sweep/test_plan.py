"""The combinations of a sweep, and the names of its experiments."""

import pytest
from conftest import ROOT

from affect.experiments.sweep.plan import choose_names, plan_sweep, plan_variants, swept_names
from affect.plumbing.errors import InputError


def plan(*overrides: str) -> list[str]:
    return [str(combination) for combination in plan_sweep(overrides, ROOT / "params.yaml")]


def test_every_combination_in_order() -> None:
    expected = [f"train.seed={seed} augment.copies={copies}" for seed in (1, 2) for copies in (4, 0)]
    assert plan("train.seed=1,2", "augment.copies=4,0") == expected


def test_a_list_is_one_value_and_a_range_is_several() -> None:
    backbones = ["backbones=[resnet50]", "backbones=[efficientnetb1]"]
    assert plan("backbones=[resnet50],[efficientnetb1]") == backbones
    assert plan("train.seed=range(1,4)") == ["train.seed=1", "train.seed=2", "train.seed=3"]


def test_the_same_parameters_run_once() -> None:
    assert plan("train.learning_rate=0.001,1e-3") == ["train.learning_rate=0.001"]


def test_a_name_that_is_taken_is_passed_over() -> None:
    assert choose_names("seeds", [2, 3, 6], ["seeds-1", "seeds-3", "main"]) == ["seeds-2", "seeds-4", "seeds-6"]


def test_a_parameter_is_known_by_its_name_though_its_file_is_given() -> None:
    assert swept_names(["params.yaml:train.seed=1,2", "augment.copies=4"]) == ["train.seed", "augment.copies"]


def test_further_parameters_hold_for_each_variant_and_may_neither_vary_nor_replace_what_does() -> None:
    varied = {"data.folds": [2], "data.fold": [1, 2]}
    planned = plan_variants(varied, ["train.epochs=3"], ROOT / "params.yaml")
    assert [(each.params["data.fold"], each.params["train.epochs"]) for each in planned] == [(1, 3), (2, 3)]
    for override in ("train.seed=1,2", "data.folds=3", "data.fold=2", "params.yaml:data.fold=1"):
        with pytest.raises(InputError, match=r"give one value for each parameter, and none for data\.folds or"):
            plan_variants(varied, [override], ROOT / "params.yaml")
