"""`src/curve.py` with real DVC and a stage that takes no time: what runs, and what it leaves."""

import sys
from pathlib import Path

import pandas as pd
import pytest
from conftest import draw_predictions, dvc_environment, run
from stub_experiments import COPYING_PIPELINE, COPYING_STAGE, list_ran, make_repository, watched, write_results

import curve
from affect.plumbing.stage import run_command

NETWORKS = ("resnet50", "efficientnetb1")
TABLE, PLOT = "metrics/learning_curve.csv", "metrics/learning_curve.svg"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = make_repository(tmp_path / "repository", COPYING_STAGE, COPYING_PIPELINE)
    for share, training in ((0.5, 400), (1.0, 800)):
        tables = {name: draw_predictions(60, 1, skill=share + place) for place, name in enumerate(NETWORKS)}
        write_results(watched(folder) / f"share-{share}", tables, training, split="val")
    for name, value in (dvc_environment(folder) | {"STUB": str(watched(folder))}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(folder)
    return folder


def run_curve(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(sys, "argv", ["curve.py", *arguments])
    run_command(curve.main)


def test_a_curve_is_a_sweep_whose_numbers_are_in_a_table_a_csv_and_a_plot(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (watched(folder) / "share-1.0").rename(watched(folder) / "away")
    with pytest.raises(SystemExit, match="curve: 1 of 2 failed: "):
        run_curve(monkeypatch, "--fractions", "0.5,1.0")
    # What has succeeded is shown, and no file holds half a curve.
    assert "| 400 " in capsys.readouterr().out
    assert not (folder / TABLE).exists()
    assert not (folder / PLOT).exists()
    (watched(folder) / "away").rename(watched(folder) / "share-1.0")
    run_curve(monkeypatch, "--fractions", "0.5,1.0")
    printed = capsys.readouterr()
    assert list_ran(folder) == ["share-0.5", "share-1.0", "share-1.0"]
    assert "1 of 2: data.train_fraction=0.5 has been run: curve-1" in printed.err
    points = pd.read_csv(folder / TABLE)
    assert points.groupby("experiment")["training_images"].unique().explode().to_dict() == {
        "curve-1": 400,
        "curve-2": 800,
    }
    for row in points[points["metric"] == "accuracy"].to_dict("records"):
        assert f"{row['value']:.3f} [{row['low']:.3f}, {row['high']:.3f}]" in printed.out
    svg = (folder / PLOT).read_bytes()
    assert svg.startswith(b"<?xml")
    # Neither is in the way of a commit.
    assert run(folder, "git", "status", "--porcelain").stdout == ""
    # Again: nothing runs, and the same bytes are written.
    before = (folder / TABLE).read_bytes()
    run_curve(monkeypatch, "--fractions", "1.0,0.5")
    assert len(list_ran(folder)) == 3
    assert ((folder / TABLE).read_bytes(), (folder / PLOT).read_bytes()) == (before, svg)


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--fractions", "0.5,2"], "--fractions 0.5,2: give shares above 0 and up to 1, each once, such as 0.125,0.25"),
        (["--fractions", "1/8"], "--fractions 1/8: give shares above 0 and up to 1"),
        (["--fractions", "0.5,0.50"], "--fractions 0.5,0.50: give shares above 0 and up to 1, each once"),
        (
            ["-S", "data.train_fraction=0.3"],
            "-S data.train_fraction=0.3: give one value for each parameter, and none for",
        ),
    ],
)
def test_other_shares_than_such_of_the_training_images_are_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], line: str
) -> None:
    with pytest.raises(SystemExit) as stopped:
        run_curve(monkeypatch, *arguments)
    assert str(stopped.value.code).startswith(f"curve: {line}")
    assert list_ran(folder) == []


@pytest.mark.parametrize("place", [TABLE, PLOT])
def test_what_is_no_file_in_the_place_of_one_is_left_and_refused_before_anything_runs(
    folder: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (folder / place).mkdir(parents=True)
    with pytest.raises(SystemExit) as stopped:
        run_curve(monkeypatch)
    assert str(stopped.value.code).startswith(f"curve: {place} is a folder, where a file is to be written")
    assert list_ran(folder) == []
