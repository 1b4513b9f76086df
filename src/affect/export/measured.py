"""What a run measured of a model, where it is known that it measured this very file."""

import json
from pathlib import Path
from typing import Any

import yaml

from affect.plumbing import paths


def read_metrics(file: Path, lock: Path, evaluated: Path) -> dict[str, Any] | None:
    """Return a model's metrics by task, and their intervals; None where the lock does not tie them to the file.

    evaluated: metrics/evaluate.json, which must be the lock's own, as the model must be.
    """
    if not (lock.is_file() and evaluated.is_file()):
        return None
    stages = yaml.safe_load(lock.read_text(encoding="utf-8"))["stages"]
    recorded = {out["path"]: out["md5"] for stage in stages.values() for out in stage.get("outs", [])}
    network = file.stem
    ties = {paths.model_file(network): file, paths.EVALUATE_METRICS: evaluated}
    if any(recorded.get(str(place)) != paths.file_md5(present) for place, present in ties.items()):
        return None
    results = json.loads(evaluated.read_text(encoding="utf-8"))
    return {"split": results["split"], "images": results["images"], **results[network]}
