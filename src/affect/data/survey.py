"""What a dataset would give, before anything is prepared: labels of all its pictures, and a try of some."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from tqdm import tqdm

from affect.core.labels import EXPRESSIONS, VALENCE_AROUSAL
from affect.core.records import ATTRIBUTE
from affect.data.attributes import choose_attributes, list_dataset
from affect.data.images.reading import ImageLimits, UnusableImageError
from affect.data.ingestion import make_square, tabulate_labels
from affect.data.layouts.item import Labels
from affect.data.splitting.split_file import SPLITS
from affect.data.summary import count_people, find_faulty
from affect.plumbing.params import Dataset

# Pictures that are read, evenly chosen: all would take as long as preparing them.
TRIED = 200


@dataclass(frozen=True)
class Survey:
    """A dataset at a glance.

    found: its pictures. faces: those whose labels are usable, the columns expression, valence, arousal, person (empty
    where unknown), split (empty where there is none) and more. faults: those whose labels are not, the columns id,
    reason, detail. tried: how many pictures were read; unreadable: those of them that can't be used, columns as faults.
    """

    found: int
    faces: pd.DataFrame
    faults: pd.DataFrame
    tried: int
    unreadable: pd.DataFrame

    @property
    def attributes(self) -> dict[str, int]:
        """The further columns by which images can be grouped, and the number of their values."""
        known = {name: self.faces[name][self.faces[name] != ""] for name in choose_attributes(self.faces)}
        return {name.removeprefix(ATTRIBUTE): values.nunique() for name, values in known.items()}

    @property
    def leaking_people(self) -> int:
        """How many people the dataset's own split has on several sides."""
        return count_people(self.faces[self.faces["split"] != ""])["across_splits"]


def survey(dataset: Dataset, size: int) -> Survey:
    """Read the labels of all pictures, and some pictures as `prepare` does at `size` pixels a side.

    Raises InputError as `list_dataset` does.
    """
    layout, items = list_dataset(dataset)
    labels: dict[int, Labels] = {}
    faults: list[tuple[str, str, str]] = []
    for position, item in enumerate(tqdm(items, desc="labels", disable=None)):
        try:
            labels[position] = layout.read_labels(item)
        except UnusableImageError as error:
            faults.append((item.id, error.reason, error.detail))
    faces = tabulate_labels(items, labels)
    faces["split"] = [items[position].split or "" for position in faces.index]
    usable = list(labels)
    chosen = [usable[place] for place in _evenly(len(usable), TRIED)]
    limits = ImageLimits(dataset.min_side, dataset.max_pixels)
    unreadable: list[tuple[str, str, str]] = []
    for position in tqdm(chosen, desc="pictures", disable=None):
        try:
            make_square(layout.read_picture(items[position], limits), labels[position], size)
        except UnusableImageError as error:
            unreadable.append((items[position].id, error.reason, error.detail))
    return Survey(len(items), faces, _tabulate(faults), len(chosen), _tabulate(unreadable))


def describe(dataset: Dataset, found: Survey) -> Iterator[str]:
    """Yield lines on what the dataset holds."""
    faces = found.faces
    yield f"{dataset.raw}: {found.found} pictures in the layout {dataset.layout}, {len(faces)} with usable labels"
    yield ""
    yield _format_row("", EXPRESSIONS)
    yield _format_row("all", _count(faces))
    for split in sorted(set(faces["split"]) - {""}, key=SPLITS.index):
        yield _format_row(split, _count(faces[faces["split"] == split]))
    yield ""
    annotated = {task: int(faces[task].notna().sum()) for task in VALENCE_AROUSAL}
    yield "annotated      " + ", ".join(f"{task}: {number}" for task, number in annotated.items())
    yield f"people         {_describe_people(faces, found.leaking_people)}"
    groups = ", ".join(f"{name} ({number} values)" for name, number in found.attributes.items())
    yield f"further columns {groups or 'none'}"
    yield from _describe_faults("labels", found.found, found.faults)
    yield from _describe_faults("pictures tried", found.tried, found.unreadable)
    share = len(find_faulty(found.faults)) / found.found + (len(found.unreadable) / found.tried if found.tried else 0)
    if share > dataset.max_dropped:
        yield f"So many faults stop the run, unless data.max_dropped ({dataset.max_dropped:g}) is raised."


def _count(faces: pd.DataFrame) -> list[int]:
    return [int((faces["expression"] == number).sum()) for number in range(len(EXPRESSIONS))]


def _format_row(name: str, cells: Sequence[object]) -> str:
    return f"{name:6}" + "".join(f"{cell:>10}" for cell in cells)


def _describe_people(faces: pd.DataFrame, leaking: int) -> str:
    """Say how many people are known, and on how many sides they are."""
    known = count_people(faces)
    if not known["people"]:
        return "not known; data.person or a column person says who is on a picture (data/README.md)"
    sides = (
        f"; {leaking} of them are on several sides of its split, which -S data.official_split=false mends"
        if leaking
        else ""
    )
    return f"{known['people']} on {known['images']} pictures, at most {known['largest']} each{sides}"


def _describe_faults(what: str, of: int, faults: pd.DataFrame) -> Iterator[str]:
    """Yield a line for each kind of fault, with its first example."""
    yield f"{what:15}{of - len(faults)} of {of} usable"
    for reason, kind in faults.groupby("reason"):
        yield f"  {reason}: {len(kind)}, such as {kind['id'].iloc[0]} ({kind['detail'].iloc[0]})"


def _evenly(count: int, most: int) -> np.ndarray:
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(int))


def _tabulate(faults: Sequence[tuple[str, str, str]]) -> pd.DataFrame:
    return pd.DataFrame(faults, columns=["id", "reason", "detail"])
