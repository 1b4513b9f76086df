"""bfloat16 where processor and backbone gain from it, and nowhere else; and the backend that was chosen, or none."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from affect.models.backend import fastest_precision, keras, require_backend
from affect.plumbing.errors import InputError


@pytest.mark.parametrize(
    ("backbone", "flags", "precision"),
    [
        ("resnet50", "avx512f avx512_bf16", "mixed_bfloat16"),
        ("densenet121", "amx_bf16", "mixed_bfloat16"),
        ("efficientnetb1", "avx512_bf16 amx_bf16", "float32"),
        ("resnet50", "avx2 avx512f", "float32"),
    ],
)
def test_processor_and_backbone_decide(tmp_path: Path, backbone: str, flags: str, precision: str) -> None:
    processor = tmp_path / "cpuinfo"
    processor.write_text(f"model name\t: any\nflags\t\t: fpu {flags}\n")
    assert fastest_precision(backbone, processor) == precision


def test_a_backend_in_the_environment_that_is_not_the_chosen_one_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    require_backend("tensorflow")
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    with pytest.raises(
        InputError, match=r"the backend of evaluation is tensorflow, but KERAS_BACKEND .* is jax; unset"
    ):
        require_backend("tensorflow", "the backend of evaluation")


def test_a_backend_that_is_not_installed_is_named_in_a_line() -> None:
    environment = os.environ | {"KERAS_BACKEND": "torch", "PYTHONPATH": str(ROOT / "src")}
    command = [sys.executable, "-c", "import affect.models.backend"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "KERAS_BACKEND in the environment is torch, which is not installed; unset it\n"


def test_a_chosen_backend_that_is_not_installed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    with pytest.raises(InputError, match=r"^train\.backend: nowhere is not installed; docs/scale\.md says which to"):
        require_backend("nowhere")


def test_a_processor_that_is_not_described_computes_in_float32(tmp_path: Path) -> None:
    assert fastest_precision("resnet50", tmp_path / "nowhere") == "float32"
