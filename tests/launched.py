"""A training that $AFFECT_LAUNCH starts as two processes, beside one process of two devices, both by DVC."""

import json
from pathlib import Path

import yaml
from conftest import Workspace, commit_all, copy_repository, run
from ranks_on_jax import QUICK, add_faces

TWO_DEVICES = "--xla_force_host_platform_device_count=2"


def require_bytes_of_two_devices(folder: Path, **launch: str) -> None:
    """Fail unless both leave the same model, and the same dvc.lock but for the metrics, which name the processes."""
    alone = _train(folder / "devices", XLA_FLAGS=TWO_DEVICES)
    launched = _train(folder / "processes", **launch)
    assert (alone[0], launched[0]) == (1, 2)
    assert alone[1:] == launched[1:]


def _train(folder: Path, **environment: str) -> tuple[int, bytes, dict]:
    folder.mkdir()
    copy_repository(folder)
    workspace = Workspace.create(folder)
    add_faces(workspace, 80)
    params = {"backbones": [QUICK], "data.image_size": 64, "augment.copies": 0, "train.epochs": 2}
    workspace.set_params(**params, **{"train.backend": "jax"})
    commit_all(folder)
    run(folder, "dvc", "repro", f"train@{QUICK}", **environment)
    lock = yaml.safe_load((folder / "dvc.lock").read_text())["stages"][f"train@{QUICK}"]
    lock["outs"] = [out for out in lock["outs"] if not out["path"].endswith("metrics.json")]
    metrics = json.loads((folder / "metrics" / "train" / QUICK / "metrics.json").read_text())
    return metrics["ranks"], (folder / "models" / f"{QUICK}.keras").read_bytes(), lock
