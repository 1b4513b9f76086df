"""The points of a learning curve, and the tables of them."""

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import draw_predictions
from stub_experiments import commit_results, make_repository, write_results

from affect.experiments.reading import Experiment
from affect.experiments.results.learning_curve import read_points, show_points
from affect.plumbing.errors import InputError

NETWORKS = ("densenet121", "resnet50")
SHARES = {0.25: 1000, 1.0: 4000}


@pytest.fixture
def experiments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Experiment]:
    """On a quarter and on all of the training images; arousal is not annotated."""
    repository = make_repository(tmp_path / "repository")
    made = []
    for number, (share, training) in enumerate(SHARES.items(), start=1):
        tables = {name: draw_predictions(60, number, skill=number) for name in NETWORKS}
        for table in tables.values():
            table["arousal"] = np.nan
        write_results(tmp_path / str(number), tables, training, split="val")
        results, params = tmp_path / str(number), {"data.train_fraction": share}
        made.append(commit_results(repository, f"curve-{number}", results, params))
    monkeypatch.chdir(repository)
    return made


def test_each_point_has_the_experiments_own_numbers(experiments: list[Experiment], tmp_path: Path) -> None:
    points = read_points(experiments[::-1])
    assert points["training_images"].is_monotonic_increasing
    assert points.groupby("experiment")["train_fraction"].unique().explode().to_dict() == {
        "curve-1": 0.25,
        "curve-2": 1.0,
    }
    for number, training in enumerate(SHARES.values(), start=1):
        results = json.loads((tmp_path / str(number) / "evaluate.json").read_text())
        part = points[points["training_images"] == training]
        assert set(zip(part["split"], part["images"], strict=True)) == {("val", 60)}
        for row in part.to_dict("records"):
            found, task, metric = results[row["backbone"]], row["task"], row["metric"]
            assert row["value"] == found[task][metric]
            interval = None if np.isnan(row["low"]) else [row["low"], row["high"]]
            assert interval == found["intervals"][task].get(metric)
        assert len(part) == 2 * 12


def test_the_tables_have_a_row_for_each_size_and_fit_into_a_terminal(experiments: list[Experiment]) -> None:
    points = read_points(experiments)
    shown = show_points(points)
    lines = shown.splitlines()
    assert max(map(len, lines)) <= 120
    assert lines[0] == "With 95 % intervals, on the 60 held-out images of the val split:"
    assert [line for line in lines if line.endswith(":")][1:] == ["densenet121:", "resnet50:"]
    rows = [line for line in lines if line.startswith(("| 1,000", "| 4,000"))]
    assert len(rows) == 4
    first = points[(points["backbone"] == "densenet121") & (points["metric"] == "accuracy")].iloc[0]
    assert rows[0].split("|")[2].strip() == f"{first.value:.3f} [{first.low:.3f}, {first.high:.3f}]"
    # Accuracy, F1 and the CCC of valence.
    assert {row.count("|") for row in rows} == {5}


def test_a_point_that_one_size_leaves_undefined_is_said(experiments: list[Experiment]) -> None:
    points = read_points(experiments)
    gone = (points["training_images"] == 1000) & (points["task"] == "valence") & (points["metric"] == "ccc")
    rows = [line for line in show_points(points[~gone]).splitlines() if line.startswith("| ")]
    assert [row.split("|")[4].strip() == "undefined" for row in rows if row.startswith("| 1,000")] == [True, True]
    assert [row.split("|")[4].strip() == "undefined" for row in rows if row.startswith("| 4,000")] == [False, False]


def test_an_experiment_without_counts_of_its_images_is_refused(experiments: list[Experiment]) -> None:
    before = Experiment("old", "HEAD~2", "0" * 40, "success", experiments[0].params, experiments[0].metrics)
    with pytest.raises(InputError, match=r"^old has no metrics/prepare\.json in git$"):
        read_points([before])
