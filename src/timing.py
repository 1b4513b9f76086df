"""Measure how long model files take on this machine: `python src/timing.py models/resnet50.keras resnet50.onnx`.

For each, the milliseconds a face (medians), one face at a time and 32 at once, and the megabytes that the process grew
by. The files are any that predict.py takes; each is measured in a process of its own.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import psutil

from affect.core.rng import rng_for
from affect.experiments.results.markdown import format_table
from affect.models import backend
from affect.models.predictors import Predictor, open_predictor
from affect.plumbing.stage import run_command

BATCHES = {"milliseconds": 1, "milliseconds_of_32": 32}
TURNS, MIN_SECONDS = 5, 1.0


def main() -> None:
    """Run the command."""
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("files", type=Path, nargs="+", metavar="MODEL")
    command.add_argument("--json", action="store_true", help="print the numbers of one file as JSON")
    options = command.parse_args()
    if options.json:
        if len(options.files) > 1:
            command.error("--json is of one file")
        print(json.dumps(measure(options.files[0])))
        return
    rows = [[str(file), *(f"{value:.1f}" for value in measure_apart(file).values())] for file in options.files]
    print(format_table(["model", "ms, one face", "ms a face of 32", "MB"], rows))


def measure_apart(file: Path) -> dict[str, float]:
    """Measure a file in another process, whose memory holds no other model."""
    done = subprocess.run(
        [sys.executable, __file__, "--json", str(file)], stdout=subprocess.PIPE, text=True, check=False
    )
    if done.returncode:
        sys.exit(done.returncode)
    return json.loads(done.stdout)


def measure(file: Path) -> dict[str, float]:
    """Return milliseconds a face, one at a time and 32 at once, and the megabytes (10^6) that it adds."""
    backend.set_up()
    process = psutil.Process()
    before = process.memory_info().rss
    predictor = open_predictor(file)
    times = {name: round(1000 * time_face(predictor, batch), 2) for name, batch in BATCHES.items()}
    return times | {"megabytes": round((process.memory_info().rss - before) / 1e6, 1)}


def time_face(predictor: Predictor, batch: int) -> float:
    """Return the seconds a face of a batch of so many takes: the median of several runs."""
    size = predictor.image_size
    images = rng_for(0, "timing").integers(0, 256, (batch, size, size, 3), np.uint8).astype(np.float32)
    predictor.run(images)
    seconds: list[float] = []
    while len(seconds) < TURNS or sum(seconds) < MIN_SECONDS:
        started = time.perf_counter()
        predictor.run(images)
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds) / batch


if __name__ == "__main__":
    run_command(main)
