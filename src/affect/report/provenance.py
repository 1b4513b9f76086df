"""What a result was made from: the dataset as DVC knows it, and the packages."""

import platform
from importlib.metadata import version
from pathlib import Path

import yaml

PACKAGES = ("tensorflow", "keras", "numpy", "scikit-learn", "scipy", "pandas", "opencv-python-headless", "dvc")


def package_versions() -> dict[str, str]:
    """Return the version of Python and of each package that a result depends on."""
    return {"python": platform.python_version()} | {package: version(package) for package in PACKAGES}


def dataset_hash(dataset: str, lock: Path) -> str | None:
    """Return the hash by which DVC knows the dataset that `prepare` has read; None where it did not run under DVC."""
    if not lock.exists():
        return None
    stages = yaml.safe_load(lock.read_text(encoding="utf-8"))["stages"]
    # DVC writes a path inside the repository from its root, however it stands in params.yaml.
    root = lock.parent
    hashes = {(root / dep["path"]).resolve(): dep["md5"] for dep in stages.get("prepare", {}).get("deps", [])}
    return hashes.get((root / dataset).resolve())
