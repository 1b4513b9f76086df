"""The tables that `make folds` ends with."""

import re

import numpy as np
from conftest import draw_predictions

from affect.evaluation.results import evaluate
from affect.experiments.results.pooled_table import show_pooled
from affect.experiments.results.pooling import Pooled
from affect.plumbing.params import BACKBONES

IMAGES = 120


def pool(names: list[str], expressions: int = 8) -> Pooled:
    """Each network tells expressions apart better than the one before, and predicts the same valence and arousal."""
    skills = np.linspace(1, max(2, len(names) / 2), len(names))
    tables = {name: draw_predictions(IMAGES, seed=1, skill=skill) for skill, name in zip(skills, names, strict=True)}
    for table in tables.values():
        table["expression"] %= expressions
    return Pooled(names, IMAGES, 5, 100, evaluate(tables, 100, 42, 10))


def test_every_network_and_every_pair_fits_into_a_terminal() -> None:
    names = list(BACKBONES)
    pooled = pool(names)
    lines = show_pooled(pooled).splitlines()
    assert max(map(len, lines)) <= 120
    for name in names:
        found = pooled.results[name]["emotion"]["accuracy"]
        low, high = pooled.results[name]["intervals"]["emotion"]["accuracy"]
        assert any(
            line.startswith("| emotion accuracy") and f"{found:.3f} [{low:.3f}, {high:.3f}]" in line for line in lines
        )
    pairs = [line for line in lines if re.match(r"\| valence ccc +\| \S+ - \S+ +\|", line)]
    assert len(pairs) == len(names) * (len(names) - 1) / 2
    assert sum(line.startswith("McNemar") for line in lines) == len(pairs)


def test_verdicts_and_mcnemars_test_are_those_of_the_results() -> None:
    pooled = pool(["resnet50", "efficientnetb1"])
    assert {entry["verdict"] for entry in pooled.results["comparison"]} == {"tie", "efficientnetb1"}
    lines = show_pooled(pooled).splitlines()
    for entry in pooled.results["comparison"]:
        (line,) = (
            line for line in lines if re.match(rf"\| {entry['task']} {entry['metric']} +\| resnet50 - effic", line)
        )
        assert line.split("|")[-2].strip() == entry["verdict"]
        assert np.isclose(float(line.split("|")[3].split("[")[0]), entry["difference"], atol=5e-4)
    (test,) = pooled.results["mcnemar"]
    assert (
        f"{test['only_first_right']} images only resnet50 names rightly, {test['only_second_right']} only" in lines[-1]
    )


def test_one_network_has_nothing_to_differ_from_and_what_is_undefined_is_said() -> None:
    shown = show_pooled(pool(["resnet50"], expressions=1))
    assert "difference" not in shown
    assert "| emotion auc_roc" not in shown
    assert "- resnet50: emotion.auc_roc: every image is neutral" in shown
