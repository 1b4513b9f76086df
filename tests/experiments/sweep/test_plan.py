"""The combinations of a sweep, and the names of its experiments."""

from conftest import ROOT

from affect.experiments.sweep.plan import choose_names, plan_sweep


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
