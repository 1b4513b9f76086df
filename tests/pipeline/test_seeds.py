"""`make seeds` as it ends: real DVC experiments of a stage that takes no time, and their mean and deviation."""

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, commit_all, run

STAGE = """
import json, pathlib, yaml
seed = yaml.safe_load(open("params.yaml"))["train"]["seed"]
assert seed != 13, "an unlucky seed"
valence = {} if seed == 3 else {"ccc": seed / 4}
tasks = {"emotion": {"accuracy": seed / 10}, "valence": valence, "cost": {"size_mb": 1.0}}
pathlib.Path("metrics").mkdir(exist_ok=True)
pathlib.Path("metrics/evaluate.json").write_text(json.dumps({"split": "val", "images": 9, "resnet50": tasks}))
"""
PIPELINE = """
stages:
  evaluate:
    cmd: python stage.py
    params: [train]
    metrics:
      - metrics/evaluate.json:
          cache: false
"""
TABLE = """\
Mean ± standard deviation over 3 runs, train.seed 1, 2, 3:

| metric | resnet50 |
|---|---|
| emotion accuracy | 0.200 ± 0.100 |
| valence ccc | 0.375 ± 0.177 |
"""


@pytest.fixture(scope="module")
def experiments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("experiments")
    (folder / "stage.py").write_text(STAGE)
    (folder / "dvc.yaml").write_text(PIPELINE)
    (folder / "params.yaml").write_text("train:\n  seed: 42\n")
    run(folder, "git", "init", "-q")
    run(folder, "dvc", "init", "-q")
    run(folder, "dvc", "repro", "-q")
    commit_all(folder)
    run(folder, "dvc", "exp", "run", "-q", "--queue", "--name", "seeds", "-S", "train.seed=3,1,2")
    run(folder, "dvc", "exp", "run", "-q", "--run-all")
    return folder


def summarise(folder: Path, prefix: str) -> subprocess.CompletedProcess[str]:
    shown = run(folder, "dvc", "exp", "show", "--json").stdout
    command = [sys.executable, ROOT / "src" / "seeds.py", prefix]
    return subprocess.run(command, input=shown, capture_output=True, text=True, check=False)


def test_mean_and_deviation_are_of_the_experiments(experiments: Path) -> None:
    assert summarise(experiments, "seeds").stdout == TABLE


def test_one_experiment_has_no_deviation(experiments: Path) -> None:
    result = summarise(experiments, "seeds-1")
    assert result.returncode == 1
    assert result.stderr == "seeds: 1 experiments are called seeds-1...; a deviation needs two (see dvc exp show)\n"


def test_a_failed_experiment_is_named(experiments: Path) -> None:
    """DVC shows it with the metrics of its baseline, which would enter the mean."""
    run(experiments, "dvc", "exp", "run", "-q", "--queue", "--name", "seeds-unlucky", "-S", "train.seed=13")
    run(experiments, "dvc", "exp", "run", "-q", "--run-all")
    result = summarise(experiments, "seeds")
    assert result.returncode == 1
    assert result.stderr.startswith("seeds: seeds-unlucky is failed, so it has no metrics of its own; ")
