"""A repository whose experiments take no time: the real params.yaml, and one stage that makes up its metrics."""

import json
import shutil
from pathlib import Path

import pandas as pd
from conftest import AUTHOR, ROOT, commit_all, run

from affect.core.files import write_table
from affect.core.labels import TASKS
from affect.evaluation.results import evaluate
from affect.experiments.reading import SUCCESS, Experiment

STAGE = """
import json, os, pathlib, sys, time
from ruamel.yaml import YAML

params = YAML(typ="safe").load(pathlib.Path("params.yaml"))
seed, copies = params["train"]["seed"], params["augment"]["copies"]
# The test's folder: what ran, and whom to wait for.
watched = pathlib.Path(os.environ["STUB"])
checkpoint = pathlib.Path(os.environ["AFFECT_CACHE"]) / "checkpoint" if "AFFECT_CACHE" in os.environ else None
resumed = checkpoint is not None and checkpoint.exists()
with (watched / "ran").open("a") as ran:
    ran.write(f"{seed} {copies} {'resumed' if resumed else 'anew'}\\n")
if checkpoint is not None:
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    checkpoint.touch()
while (watched / f"hold-{seed}").exists():
    time.sleep(0.05)
for name in params["backbones"]:
    pathlib.Path(f"metrics/train/{name}").mkdir(exist_ok=True, parents=True)
    with pathlib.Path(f"metrics/train/{name}/curves.csv").open("w") as curves:
        curves.write("measure,images,epoch,value\\n")
        for epoch in range(1, 6):
            for images, share in (("training", 2), ("validation", 1)):
                value = share * epoch * params["train"]["learning_rate"]
                curves.write(f"valence_ccc,{images},{epoch},{value}\\n")
            curves.flush()
            if (watched / "slow").exists():
                time.sleep(0.7)
if seed == 13:
    sys.exit("train: the loss is NaN")
valence = {} if seed == 3 else {"ccc": seed / 4}
tasks = {"emotion": {"accuracy": seed / 10, "f1": copies / 10}, "valence": valence, "cost": {"size_mb": 1.0}}
results = {name: tasks for name in params["backbones"]} | {"split": "val", "images": 9, "mcnemar": [{"p": 0.5}]}
pathlib.Path("metrics/predictions").mkdir(exist_ok=True, parents=True)
pathlib.Path("metrics/evaluate.json").write_text(json.dumps(results))
for name in params["backbones"]:
    pathlib.Path(f"metrics/predictions/{name}.csv").write_text(f"id,expression\\n007,{seed}\\n")
"""
PIPELINE = """
stages:
  evaluate:
    cmd: python stage.py
    params: [backbones, train, augment]
    outs:
      - metrics/train:
          cache: false
      - metrics/predictions:
          cache: false
    metrics:
      - metrics/evaluate.json:
          cache: false
"""
# Takes as its results those that `write_results` has put into fold-{number} or share-{fraction} of the test's folder.
COPYING_STAGE = """
import os, pathlib, shutil, time
from ruamel.yaml import YAML

data = YAML(typ="safe").load(pathlib.Path("params.yaml"))["data"]
name = f"fold-{data['fold']}" if data["folds"] else f"share-{data['train_fraction']}"
watched = pathlib.Path(os.environ["STUB"])
with (watched / "ran").open("a") as ran:
    ran.write(f"{name}\\n")
while (watched / f"hold-{name}").exists():
    time.sleep(0.05)
shutil.copytree(watched / name, "metrics", dirs_exist_ok=True)
"""
COPYING_PIPELINE = """
stages:
  evaluate:
    cmd: python stage.py
    params: [backbones, data, train]
    outs:
      - metrics/predictions:
          cache: false
      - metrics/prepare.json:
          cache: false
      - metrics/split.csv:
          cache: false
    metrics:
      - metrics/evaluate.json:
          cache: false
"""


def make_repository(folder: Path, stage: str = STAGE, pipeline: str = PIPELINE) -> Path:
    """Commit the pipeline in a new folder, before its first run; STUB is that folder's neighbour."""
    for made in (folder, watched(folder), folder / ".dvc"):
        made.mkdir()
    shutil.copy(ROOT / "params.yaml", folder)
    shutil.copy(ROOT / ".gitignore", folder)
    shutil.copy(ROOT / ".dvc" / "config", folder / ".dvc")
    shutil.copy(ROOT / ".dvc" / ".gitignore", folder / ".dvc")
    (folder / "stage.py").write_text(stage)
    (folder / "dvc.yaml").write_text(pipeline)
    commit_all(folder)
    return folder


def watched(folder: Path) -> Path:
    """The folder in which the stage says what ran, and waits while hold-{seed} is there."""
    return folder.with_name(f"{folder.name}-stub")


def list_ran(folder: Path) -> list[str]:
    """A line for each time that the stage has run since the first commit: seed, copies, anew or resumed."""
    ran = watched(folder) / "ran"
    return ran.read_text().splitlines() if ran.exists() else []


def write_results(
    metrics: Path, tables: dict[str, pd.DataFrame], training: int, split: str = "test", resamples: int = 200
) -> None:
    """Write into a folder what an experiment with these predictions leaves in metrics/."""
    (metrics / "predictions").mkdir(parents=True)
    for network, table in tables.items():
        write_table(metrics / "predictions" / f"{network}.csv", table)
    held_out = next(iter(tables.values()))["id"]
    results = evaluate(tables, resamples, 42, 10) | {"split": split, "images": len(held_out)}
    (metrics / "evaluate.json").write_text(json.dumps(results))
    (metrics / "prepare.json").write_text(json.dumps({"splits": {"train": {"images": training}}}))
    write_table(metrics / "split.csv", pd.DataFrame({"id": held_out, "split": split}))


def commit_results(folder: Path, name: str, results: Path, params: dict[str, object]) -> Experiment:
    """Commit what `write_results` has written, as the experiment of this name and these parameters, by itself."""
    shutil.rmtree(folder / "metrics", ignore_errors=True)
    shutil.copytree(results, folder / "metrics")
    run(folder, "git", "add", "--all")
    run(folder, "git", *AUTHOR, "commit", "-q", "-m", name)
    revision = run(folder, "git", "rev-parse", "HEAD").stdout.strip()
    found = json.loads((results / "evaluate.json").read_text())
    metrics = {
        (network, task, metric): value
        for network in (path.stem for path in sorted((results / "predictions").iterdir()))
        for task in TASKS
        for metric, value in found[network].get(task, {}).items()
    }
    return Experiment(name, revision, "0" * 40, SUCCESS, params, metrics)
