"""bfloat16 where processor and backbone gain from it, and nowhere else."""

from pathlib import Path

import pytest

from affect.models.backend import fastest_precision


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


def test_a_processor_that_is_not_described_computes_in_float32(tmp_path: Path) -> None:
    assert fastest_precision("resnet50", tmp_path / "nowhere") == "float32"
