"""Compare the packages that a result depends on with requirements.txt."""

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from affect.plumbing.errors import InputError

# Those that the tests were run with.
PYTHONS = ("3.11", "3.12", "3.13")
# What computes, reads or writes a result. Others may be there in any version, as a remote's or a tracker's bring them.
RESULT_PACKAGES = frozenset(
    {
        *(
            "ai-edge-litert",
            "av",
            "dvclive",
            "flatbuffers",
            "h5py",
            "jinja2",
            "keras",
            "krippendorff",
            "matplotlib",
            "ml-dtypes",
            "numpy",
        ),
        *("opencv-python-headless", "pandas", "pillow", "polars", "pydantic", "ruamel-yaml", "scikit-learn", "scipy"),
        *("onnx", "onnxruntime", "simplejpeg", "tensorflow", "tf2onnx"),
    }
)


def check_versions(requirements: Path) -> None:
    """Raise InputError, which says how to mend it, unless Python and RESULT_PACKAGES are of the pinned versions."""
    if ".".join(platform.python_version_tuple()[:2]) not in PYTHONS:
        fix = f"remove .venv and run `make setup PYTHON=python{PYTHONS[0]}`"
        raise InputError(f"needs Python {', '.join(PYTHONS)}, and this is {platform.python_version()}; {fix}")
    lines = requirements.read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line.rstrip("\\")) for line in lines if line[:1].isalnum()]
    pins = [pin for pin in pins if canonicalize_name(pin.name) in RESULT_PACKAGES]
    wrong = [fault for pin in pins if pin.marker is None or pin.marker.evaluate() if (fault := _fault(pin))]
    if wrong:
        raise InputError(f"{'; '.join(wrong)}; run `pip install -r {requirements.name}`, or `make lock` to pin others")


def _fault(pin: Requirement) -> str | None:
    try:
        installed = version(pin.name)
    except PackageNotFoundError:
        return f"{pin.name} is not installed, and is to be {pin.specifier}"
    fits = pin.specifier.contains(installed, prereleases=True)
    return None if fits else f"{pin.name} is {installed}, not {pin.specifier}"
