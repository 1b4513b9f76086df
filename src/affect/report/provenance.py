"""What a result was made from: the dataset as DVC knows it, and the packages."""

import json
import platform
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import yaml
from ruamel.yaml import YAML

from affect.plumbing import paths

PACKAGES = ("tensorflow", "keras", "numpy", "scikit-learn", "scipy", "pandas", "opencv-python-headless", "dvc")


def package_versions(*further: str) -> dict[str, str]:
    """Return the version of Python, of each package that a result depends on, and of further ones."""
    return {"python": platform.python_version()} | {package: version(package) for package in (*PACKAGES, *further)}


def model_hashes(networks: Iterable[str], lock: Path) -> dict[str, str]:
    """Return the MD5 of each network's model file, from the lock where it is not here, as in a fresh clone."""
    recorded = _recorded_outputs(lock)
    hashes: dict[str, str] = {}
    for network in networks:
        file = paths.model_file(network)
        md5 = paths.file_md5(file) if file.is_file() else recorded.get(str(file))
        hashes |= {network: md5} if md5 else {}
    return hashes


def read_metrics(model: Path, lock: Path, evaluated: Path) -> dict[str, Any] | None:
    """Return a model's metrics by task, and their intervals; None where the lock does not tie them to this very file.

    With `mirror`: whether predictions are means of those for an image and for its mirror image.
    evaluated: metrics/evaluate.json, which must be the lock's own, as the model must be.
    """
    recorded, network = _recorded_outputs(lock), model.stem
    ties = {paths.model_file(network): model, paths.EVALUATE_METRICS: evaluated}
    if any(not file.is_file() or recorded.get(str(place)) != paths.file_md5(file) for place, file in ties.items()):
        return None
    results = json.loads(evaluated.read_text(encoding="utf-8"))
    recorded_params = YAML(typ="safe", pure=True).load(lock)["stages"]["evaluate"]["params"][str(paths.PARAMS)]
    # Locks that are older than the parameter are of runs without it.
    mirror = recorded_params["evaluate"].get("mirror", False)
    return {"split": results["split"], "images": results["images"], "mirror": mirror} | results[network]


def _recorded_outputs(lock: Path) -> dict[str, str]:
    """Return the MD5 of each output of the lock's run by its path."""
    stages = yaml.safe_load(lock.read_text(encoding="utf-8"))["stages"] if lock.exists() else {}
    return {out["path"]: out["md5"] for stage in stages.values() for out in stage.get("outs", [])}


def changed_parameters(parameters: Mapping[str, Any], networks: Iterable[str], lock: Path) -> list[str]:
    """Return the parameters, by section, that are others now than in the run of the lock: as NAME is NOW, was THEN."""
    if not lock.exists():
        return []
    # As DVC reads it: PyYAML takes 1e-05 for a text.
    stages = YAML(typ="safe", pure=True).load(lock)["stages"]
    of_run = ("prepare", "augment", *(f"train@{network}" for network in networks), "evaluate")
    recorded = [stages.get(stage, {}).get("params", {}).get(str(paths.PARAMS), {}) for stage in of_run]
    then = {name: value for sections in recorded for name, value in flatten(sections).items()}
    now = flatten(parameters)
    return [f"{name} is {now[name]}, was {then[name]}" for name in then if name in now and now[name] != then[name]]


def flatten(sections: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested parameters by their dotted names."""
    flat: dict[str, Any] = {}
    for name, value in sections.items():
        flat |= flatten(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {f"{prefix}{name}": value}
    return flat


def dataset_hash(dataset: str, lock: Path) -> str | None:
    """Return the hash by which DVC knows the dataset that `prepare` has read; None where it did not run under DVC."""
    if not lock.exists():
        return None
    stages = yaml.safe_load(lock.read_text(encoding="utf-8"))["stages"]
    # DVC writes a path inside the repository from its root, however it stands in params.yaml.
    root = lock.parent
    hashes = {(root / dep["path"]).resolve(): dep["md5"] for dep in stages.get("prepare", {}).get("deps", [])}
    return hashes.get((root / dataset).resolve())
