"""What each stage costs as the dataset grows: `make bench-scale`.

Or `PYTHONPATH=src:tests python tests/benchmarks/scale.py`. prepare and augment run on a quarter, half and all of 50,000
drawn faces; training, for one epoch, on such parts of 20,000 faces beside a quarter as many to validate on; at the end
everything runs on as many images as the report had.
"""

import json
import shutil
import sys
import tempfile
import time
from contextlib import chdir, suppress
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import psutil
from conftest import ROOT, Workspace

import sample
from affect.core.records import read_records
from affect.plumbing.parallel import parallel_map
from affect.plumbing.params import load_params

FACES, SIZE, COPIES = 50_000, 112, 4
SHARES = {"1x": 4, "2x": 2, "4x": 1}
REPORT_FACES, REPORT_SIZE = 4000, 224
BACKBONES = ("resnet50", "efficientnetb1")
TRAINING = (*(f"train@{backbone}" for backbone in BACKBONES), "evaluate")
RESULTS = Path(__file__).with_name("scale.json")
SAMPLED_EVERY = 0.05


@dataclass(frozen=True)
class Cost:
    """Of one run of a stage: its output images, seconds, and the most that it took of memory and disk, in MB (10^6).

    Memory is the sum over its processes of what each has resident, pages that they share counted in each.
    """

    stage: str
    scale: str
    images: int
    seconds: float
    memory_mb: float
    disk_mb: float


def main() -> None:
    """Draw, run and print."""
    costs: list[Cost] = []
    cache = ROOT / "data" / "cache"
    cache.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as folder, chdir(folder):
        workspace = Workspace.create(Path(folder))
        drawn = 0
        for scale, divisor in SHARES.items():
            draw(workspace, range(drawn, FACES // divisor), SIZE)
            drawn = FACES // divisor
            costs += run_stages(workspace, scale, drawn, COPIES, ("prepare", "augment"))
            # The 4/5 that train are the part of 20,000; the rest is validated on.
            for_training = run_stages(workspace, scale, drawn // 2, 0, ("prepare", "augment", *TRAINING))
            costs += [cost for cost in for_training if cost.stage in TRAINING]
        shutil.rmtree("data")
        draw(workspace, range(REPORT_FACES), REPORT_SIZE)
        costs += run_stages(workspace, "report", REPORT_FACES, COPIES, ("prepare", "augment", *TRAINING))
    RESULTS.write_text(json.dumps([asdict(cost) for cost in costs], indent=2) + "\n")
    print_table(costs)


def draw(workspace: Workspace, faces: range, size: int) -> None:
    """Draw faces into the workspace's dataset and set its size."""
    workspace.set_params(**{"data.raw": "data/sample", "data.image_size": size, "sample.size": size})
    for name in ("images", "annotations"):
        (workspace.folder / "data" / "sample" / name).mkdir(parents=True, exist_ok=True)
    write = partial(sample.write_face, Path("data/sample"), load_params().sample)
    for _ in parallel_map(write, faces, f"draw up to {faces.stop}"):
        pass


def run_stages(workspace: Workspace, scale: str, faces: int, copies: int, stages: tuple[str, ...]) -> list[Cost]:
    """Run stages one after the other on so many of the faces, training for one epoch."""
    workspace.set_params(
        **{"data.sample_size": faces, "augment.copies": copies, "model.weights": None, "train.epochs": 1}
    )
    Path("models").mkdir(exist_ok=True)
    return [run_stage(stage, scale) for stage in stages]


def run_stage(stage: str, scale: str) -> Cost:
    """Run one stage as DVC does and watch it."""
    script, _, backbone = stage.partition("@")
    command = [sys.executable, str(ROOT / "src" / f"{script}.py"), *([backbone] if backbone else [])]
    free_before = shutil.disk_usage(".").free
    least_free, memory = free_before, 0
    started = time.perf_counter()
    with Path(f"{stage}.log").open("w") as log:
        process = psutil.Popen(command, stdout=log, stderr=log)
        while process.poll() is None:
            memory = max(memory, resident_bytes(process))
            least_free = min(least_free, shutil.disk_usage(".").free)
            time.sleep(SAMPLED_EVERY)
    if process.returncode != 0:
        sys.exit(f"{stage} failed:\n{Path(log.name).read_text()}")
    seconds = time.perf_counter() - started
    cost = Cost(stage, scale, count_images(script), seconds, memory / 1e6, (free_before - least_free) / 1e6)
    print_table([cost])
    return cost


def resident_bytes(process: psutil.Process) -> int:
    """Sum over a process and its descendants; those that end meanwhile count nothing."""
    total = 0
    for part in (process, *process.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):
            total += part.memory_info().rss
    return total


def count_images(script: str) -> int:
    """Return how many images a script has just written, learnt from or predicted."""
    prepared = read_records(Path("data/prepared"))
    held_out = len(prepared.select("val").index)
    if script == "prepare":
        return len(prepared.index)
    if script == "evaluate":
        return held_out * len(BACKBONES)
    return len(read_records(Path("data/augmented")).index) + (held_out if script == "train" else 0)


def print_table(costs: list[Cost]) -> None:
    """Print a line for each run."""
    for cost in costs:
        rate = cost.images / cost.seconds
        print(
            f"{cost.stage:22} {cost.scale:7} {cost.images:7} images {cost.seconds:7.1f} s {rate:7.1f} images/s "
            f"{cost.memory_mb:7.0f} MB memory {cost.disk_mb:7.0f} MB disk",
            flush=True,
        )


if __name__ == "__main__":
    main()
