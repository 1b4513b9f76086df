"""List, label and split 100,000 items in each layout: `make bench-layouts`.

Or `PYTHONPATH=src:tests python tests/benchmarks/layouts.py`. Each layout is read in a process of its own, from files
that have just been written, so that they are in the system's cache. Ends with exit code 1 where a layout takes over
10 s or 500 MB. Pictures are not read: FER2013's have their 48x48 pixels in the CSV, the others' files are empty.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from conftest import ROOT
from sklearn.model_selection import StratifiedGroupKFold

from affect.core.labels import EXPRESSIONS
from affect.data.attributes import list_dataset
from affect.data.ingestion import tabulate_labels
from affect.data.layouts.affectnet_csv import COLUMNS
from affect.data.splitting.folds import split_into_folds
from affect.data.splitting.fractions import split_by_fraction
from affect.data.splitting.groups import join_people
from affect.plumbing.params import load_params

ITEMS, PEOPLE, FOLDS = 100_000, 5_000, 5
MAX_SECONDS, MAX_MB = 10, 500
# As a network sees them on the web: AffectNet's shares, roughly, in thousandths.
SHARES = (260, 466, 88, 49, 22, 13, 87, 15)
RESULTS = Path(__file__).with_name("layouts.json")


@dataclass(frozen=True)
class Cost:
    """Of one layout: processor seconds of each step, and the most memory that the process had resident, in MB (10^6).

    Nothing waits for a disk, so that they are the seconds of a machine that does nothing else. elapsed: by the clock.
    splitting: by fractions and into folds. folds_by_sklearn: seconds of StratifiedGroupKFold on the same groups.
    unevenness, unevenness_by_sklearn: the largest difference between two folds in an expression's images, as a share of
    what a fold should have.
    """

    layout: str
    listing: float
    labels: float
    splitting: float
    elapsed: float
    memory_mb: float
    folds_by_ours: float
    folds_by_sklearn: float
    unevenness: float
    unevenness_by_sklearn: float

    @property
    def seconds(self) -> float:
        """All of what is to be fast."""
        return self.listing + self.labels + self.splitting


def main() -> int:
    """Write, measure and print; the exit code is 1 where a layout takes too much."""
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("--measure", nargs=2, metavar=("LAYOUT", "FOLDER"), help="this one, in this process")
    options = command.parse_args()
    if options.measure:
        print(json.dumps(asdict(measure(*options.measure))))
        return 0
    costs = []
    for layout, write in WRITERS.items():
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder))
            arguments = [sys.executable, __file__, "--measure", layout, folder]
            output = subprocess.run(arguments, check=True, stdout=subprocess.PIPE, text=True).stdout
        costs.append(Cost(**json.loads(output)))
        print_costs(costs[-1:])
    RESULTS.write_text(json.dumps([asdict(cost) for cost in costs], indent=2) + "\n")
    over = [cost.layout for cost in costs if cost.seconds > MAX_SECONDS or cost.memory_mb > MAX_MB]
    if over:
        print(f"over {MAX_SECONDS} s or {MAX_MB} MB: {', '.join(over)}", file=sys.stderr)
    return min(len(over), 1)


def measure(layout: str, folder: str) -> Cost:
    """Read and split a dataset."""
    people = None if layout in {"table", "fer2013"} else r"^person(\d+)_"
    dataset = load_params(ROOT / "params.yaml").data.model_copy(
        update={"raw": folder, "layout": layout, "person": people}
    )
    elapsed, times = -time.perf_counter(), [time.process_time()]
    reader, items = list_dataset(dataset)
    times.append(time.process_time())
    faces = tabulate_labels(items, {place: reader.read_labels(item) for place, item in enumerate(items)})
    times.append(time.process_time())
    groups = join_people(np.arange(len(faces)), faces["person"])
    faces = faces.assign(group=faces["id"].to_numpy()[groups]).set_index("id")
    split = split_by_fraction(faces, {"val": 0.2, "test": 0.1}, seed=42)
    before_folds = time.process_time()
    fold = split_into_folds(faces, FOLDS, seed=42)
    times.append(time.process_time())
    elapsed += time.perf_counter()
    # Before scikit-learn comes in.
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    assert len(faces) == ITEMS
    for sides in (split, fold):
        assert sides.groupby(faces["group"]).nunique().max() == 1
    theirs, seconds = fold_by_sklearn(faces)
    listing, labels, splitting = np.diff(times).tolist()
    return Cost(
        layout,
        listing,
        labels,
        splitting,
        elapsed,
        memory,
        times[-1] - before_folds,
        seconds,
        unevenness(faces, fold),
        unevenness(faces, theirs),
    )


def fold_by_sklearn(faces: pd.DataFrame) -> tuple[pd.Series, float]:
    """Return scikit-learn's folds and the seconds that they take."""
    started = time.process_time()
    fold = pd.Series(0, faces.index)
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=42)
    for number, (_, test) in enumerate(splitter.split(faces, faces["expression"], faces["group"]), 1):
        fold.iloc[test] = number
    return fold, time.process_time() - started


def unevenness(faces: pd.DataFrame, fold: pd.Series) -> float:
    """Return the largest difference between two folds in an expression's images, as a share of its mean."""
    counts = pd.crosstab(fold, faces["expression"])
    return float(((counts.max() - counts.min()) / counts.mean()).max())


def print_costs(costs: list[Cost]) -> None:
    """Print a line for each layout."""
    for cost in costs:
        steps = f"listing {cost.listing:4.1f}, labels {cost.labels:4.1f}, splitting {cost.splitting:4.1f}"
        ours = f"folds in {cost.folds_by_ours:.1f} s, uneven by {cost.unevenness:.4f}"
        theirs = f"scikit-learn's {cost.folds_by_sklearn:.1f} s, {cost.unevenness_by_sklearn:.4f}"
        used = f"{cost.seconds:5.1f} s ({steps}; {cost.elapsed:.1f} by the clock), {cost.memory_mb:.0f} MB"
        print(f"{cost.layout:14} {used}; {ours}; {theirs}", flush=True)


# What is written: ids, expressions, valence and arousal, of people with a handful of pictures or with hundreds.


def draw() -> pd.DataFrame:
    """Draw the items: the columns id, person, expression, valence, arousal."""
    rng = np.random.default_rng(1)
    weights = rng.pareto(1.5, PEOPLE) + 0.1
    people = rng.choice(PEOPLE, ITEMS, p=weights / weights.sum())
    return pd.DataFrame(
        {
            "id": [f"person{person}_{number}" for number, person in enumerate(people)],
            "person": people,
            "expression": rng.choice(8, ITEMS, p=np.array(SHARES) / sum(SHARES)),
            "valence": rng.uniform(-1, 1, ITEMS).round(6),
            "arousal": rng.uniform(-1, 1, ITEMS).round(6),
        }
    )


def write_affectnet(raw: Path) -> None:
    """Write 400,000 files, the annotations as AffectNet ships them."""
    for name in ("images", "annotations"):
        (raw / name).mkdir()
    for id, _, expression, valence, arousal in draw().itertuples(index=False):
        (raw / "images" / f"{id}.jpg").touch()
        for name, value in {"exp": expression, "val": valence, "aro": arousal}.items():
            np.save(raw / "annotations" / f"{id}_{name}.npy", np.array(str(value)))


def write_affectnet_csv(raw: Path) -> None:
    """Write both lists, with landmarks, in folders of a thousand pictures."""
    rng = np.random.default_rng(2)
    faces = draw()
    points = [";".join(map(str, row)) for row in rng.integers(0, 400_000, (1000, 136)) / 1000]
    table = pd.DataFrame(
        {
            COLUMNS[0]: [f"{number // 1000}/{id}.jpg" for number, id in enumerate(faces["id"])],
            **dict.fromkeys(COLUMNS[1:5], 200),
            "facial_landmarks": [points[number % 1000] for number in range(ITEMS)],
            **{name: faces[name] for name in COLUMNS[6:]},
        }
    )
    first = raw / "images" / table[COLUMNS[0]].iloc[0]
    first.parent.mkdir(parents=True)
    first.touch()
    cut = ITEMS * 9 // 10
    table[:cut].to_csv(raw / "training.csv", index=False)
    table[cut:].to_csv(raw / "validation.csv", index=False, header=False)
    (raw / "images" / str(cut // 1000)).mkdir()
    (raw / "images" / table[COLUMNS[0]].iloc[cut]).touch()


def write_folders(raw: Path) -> None:
    """Write class folders."""
    for name in EXPRESSIONS:
        (raw / "train" / name).mkdir(parents=True)
    for id, _, expression, *_ in draw().itertuples(index=False):
        (raw / "train" / EXPRESSIONS[expression] / f"{id}.jpg").touch()


def write_table(raw: Path) -> None:
    """Write a CSV with a column of every kind."""
    faces = draw()
    table = faces.assign(
        path="pictures/" + faces["id"] + ".jpg",
        expression=[EXPRESSIONS[number] for number in faces["expression"]],
        box="10 20 200 220",
        age=faces["person"] % 70,
    )
    table.to_csv(raw / "labels.csv", index=False)


def write_fer2013(raw: Path) -> None:
    """Write a CSV with the pixels of each picture."""
    rng = np.random.default_rng(3)
    pixels = [" ".join(map(str, row)) for row in rng.integers(0, 256, (500, 48 * 48))]
    usages = ("Training", "PublicTest", "PrivateTest")
    with (raw / "fer2013.csv").open("w") as file:
        file.write("emotion,pixels,Usage\n")
        for number in range(ITEMS):
            file.write(f"{number % 7},{pixels[number % 500]},{usages[max(0, number % 10 - 7)]}\n")


WRITERS: dict[str, Callable[[Path], None]] = {
    "affectnet": write_affectnet,
    "affectnet_csv": write_affectnet_csv,
    "folders": write_folders,
    "table": write_table,
    "fer2013": write_fer2013,
}


if __name__ == "__main__":
    sys.exit(main())
