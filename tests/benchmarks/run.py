"""Every benchmark, in one table: `make bench`, or `PYTHONPATH=src python tests/benchmarks/run.py`."""

import json
from dataclasses import asdict
from pathlib import Path

from affect import runtime
from measuring import print_table
from training_step import compare_steps

RESULTS = Path(__file__).with_name("results.json")


def main() -> None:
    """Run them all."""
    runtime.set_up(1)
    results = [result for backbone in ("resnet50", "efficientnetb1") for result in compare_steps(backbone)]
    RESULTS.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")
    print_table(results)


if __name__ == "__main__":
    main()
