"""A repository whose experiments take no time: the real params.yaml, and one stage that makes up its metrics."""

import shutil
from pathlib import Path

from conftest import ROOT, commit_all

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


def make_repository(folder: Path) -> Path:
    """Commit the pipeline in a new folder, before its first run; STUB is that folder's neighbour."""
    for made in (folder, watched(folder), folder / ".dvc"):
        made.mkdir()
    shutil.copy(ROOT / "params.yaml", folder)
    shutil.copy(ROOT / ".gitignore", folder)
    shutil.copy(ROOT / ".dvc" / "config", folder / ".dvc")
    shutil.copy(ROOT / ".dvc" / ".gitignore", folder / ".dvc")
    (folder / "stage.py").write_text(STAGE)
    (folder / "dvc.yaml").write_text(PIPELINE)
    commit_all(folder)
    return folder


def watched(folder: Path) -> Path:
    """The folder in which the stage says what ran, and waits while hold-{seed} is there."""
    return folder.with_name(f"{folder.name}-stub")


def list_ran(folder: Path) -> list[str]:
    """A line for each time that the stage has run since the first commit: seed, copies, anew or resumed."""
    ran = watched(folder) / "ran"
    return ran.read_text().splitlines() if ran.exists() else []
