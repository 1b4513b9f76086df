"""Nothing before training depends on the processor, on the kernels that libraries choose by it, or on its cores."""

import hashlib
import sys
from pathlib import Path

import cv2
import pytest
from conftest import ROOT, Workspace, run

FACES, SIDE = 96, 96

HAS_AVX2, HAS_AVX512 = (f"*{feature}" in cv2.getCPUFeaturesLine() for feature in ("AVX2", "AVX512-SKX"))
NO_AVX512 = {"OPENCV_CPU_DISABLE": "AVX512_SKX", "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR"}
NO_AVX2 = {
    "OPENCV_CPU_DISABLE": "AVX512_SKX,AVX2,FP16,AVX",
    "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4 AVX512_ICL AVX512_SPR",
    "OPENBLAS_CORETYPE": "Nehalem",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA,-AVX512F",
}
# The environments of processors that this one can stand for.
PROCESSORS = {
    "another BLAS kernel": (HAS_AVX2, {"OPENBLAS_CORETYPE": "Haswell"}),
    "the newest BLAS kernel": (HAS_AVX512, {"OPENBLAS_CORETYPE": "SkylakeX"}),
    "no AVX-512": (HAS_AVX512, NO_AVX512),
    "no AVX2": (HAS_AVX2, NO_AVX2),
    "Intel's IPP": (HAS_AVX2, {"OPENCV_IPP": "avx2"}),
}


def hash_outputs(folder: Path, environment: dict[str, str], processes: int = 1) -> dict[str, str]:
    """Draw, prepare and augment a sample in an empty folder; returns the hash of each file."""
    folder.mkdir()
    workspace = Workspace.create(folder)
    workspace.set_params(
        **{"data.raw": "data/sample", "data.image_size": SIDE, "sample.images": FACES, "augment.copies": 2}
    )
    # In one process, which costs one start of Python in place of three.
    code = "import sample, prepare, augment; sample.main(); prepare.main(); augment.main()"
    environment = {"PYTHONPATH": str(ROOT / "src"), "LOKY_MAX_CPU_COUNT": str(processes)} | environment
    run(folder, sys.executable, "-c", code, **environment)
    files = [file for file in (folder / "data").rglob("*") if file.is_file() and file.suffix != ".lock"]
    # The attributes, and three files of records in each of two folders.
    assert len(files) == 5 * FACES + 7
    return {str(file.relative_to(folder)): hashlib.md5(file.read_bytes()).hexdigest() for file in files}


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return hash_outputs(tmp_path_factory.mktemp("here") / "workspace", {})


@pytest.mark.parametrize("name", [name for name, (stands_for, _) in PROCESSORS.items() if stands_for])
def test_another_processor_makes_the_same_bytes(expected: dict[str, str], tmp_path: Path, name: str) -> None:
    assert hash_outputs(tmp_path / "workspace", PROCESSORS[name][1]) == expected


def test_another_number_of_cores_makes_the_same_bytes(expected: dict[str, str], tmp_path: Path) -> None:
    assert hash_outputs(tmp_path / "workspace", {}, processes=2) == expected
