"""What a result was made from: the dataset as DVC knows it, and the packages."""

import platform
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import yaml

from affect.plumbing import paths

PACKAGES = ("tensorflow", "keras", "numpy", "scikit-learn", "scipy", "pandas", "opencv-python-headless", "dvc")


def package_versions() -> dict[str, str]:
    """Return the version of Python and of each package that a result depends on."""
    return {"python": platform.python_version()} | {package: version(package) for package in PACKAGES}


def model_hashes(networks: Iterable[str], lock: Path) -> dict[str, str]:
    """Return the MD5 of each network's model file, from the lock where it is not here, as in a fresh clone."""
    stages = yaml.safe_load(lock.read_text(encoding="utf-8"))["stages"] if lock.exists() else {}
    recorded = {out["path"]: out["md5"] for stage in stages.values() for out in stage.get("outs", [])}
    hashes: dict[str, str] = {}
    for network in networks:
        file = paths.model_file(network)
        md5 = paths.file_md5(file) if file.is_file() else recorded.get(str(file))
        hashes |= {network: md5} if md5 else {}
    return hashes


def dataset_hash(dataset: str, lock: Path) -> str | None:
    """Return the hash by which DVC knows the dataset that `prepare` has read; None where it did not run under DVC."""
    if not lock.exists():
        return None
    stages = yaml.safe_load(lock.read_text(encoding="utf-8"))["stages"]
    # DVC writes a path inside the repository from its root, however it stands in params.yaml.
    root = lock.parent
    hashes = {(root / dep["path"]).resolve(): dep["md5"] for dep in stages.get("prepare", {}).get("deps", [])}
    return hashes.get((root / dataset).resolve())
