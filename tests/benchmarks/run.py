"""Every benchmark, in one table: `make bench`, or `PYTHONPATH=src:tests python tests/benchmarks/run.py`."""

import json
from dataclasses import asdict
from pathlib import Path

from affect.models import backend
from exported import compare_exports
from groups import compare_groups
from maps import compare_maps
from measuring import print_table
from modern_recipe import compare_recipe
from stages import compare_stages
from training import compare_determinism, compare_steps, compare_training
from video_speed import compare_videos

RESULTS = Path(__file__).with_name("results.json")
BACKBONES = ("resnet50", "efficientnetb1")


def main() -> None:
    """Run them all."""
    backend.set_up(1)
    results = compare_stages() + compare_groups() + compare_exports("efficientnetb1") + compare_videos("efficientnetb1")
    results += compare_maps("efficientnetb1")
    for compare in (compare_steps, compare_training, compare_determinism, compare_recipe):
        for backbone in BACKBONES:
            results += compare(backbone)
    RESULTS.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")
    print_table(results)


if __name__ == "__main__":
    main()
