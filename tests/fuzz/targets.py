"""What reads a stranger's files: each target gets bytes, and must accept them, or refuse them in a line."""

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from affect.core.records import IMAGES_FILE, INDEX_FILE, read_records
from affect.data.images.cropping import letterbox
from affect.data.images.reading import ImageLimits, UnusableImageError
from affect.data.ingestion import make_square
from affect.data.layouts.affectnet import AffectNet
from affect.data.layouts.affectnet_csv import AffectNetCsv
from affect.data.layouts.fer2013 import Fer2013
from affect.data.layouts.item import Item, Layout
from affect.data.layouts.table import Table
from affect.plumbing.errors import InputError
from affect.plumbing.params import load_params

# Returns the reason for which an input is refused, or "".
Target = Callable[[Path, bytes], str]

# The layouts of one CSV, by the name that each looks for.
TABLES: dict[str, type[Table | Fer2013 | AffectNetCsv]] = {
    "labels.csv": Table,
    "fer2013.csv": Fer2013,
    "validation.csv": AffectNetCsv,
}
PICTURE = cv2.imencode(".png", np.full((2, 2, 3), 90, np.uint8))[1].tobytes()

# Between the two files that one input is cut into.
SEPARATOR = b"\0--\0"


def read_dataset(folder: Path, content: bytes) -> str:
    """Read one image and its expression."""
    image, annotation = cut(content)
    for name, data in (("images/1.jpg", image), ("annotations/1_exp.npy", annotation)):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(data)
    layout = AffectNet(folder)
    (item,) = layout.list_items()
    try:
        label = layout.read_labels(item)
        read = layout.read_picture(item, ImageLimits(1, 100_000))
    except UnusableImageError as refusal:
        return f"{refusal.reason}: {refusal.detail}"
    assert label.expression in range(8)
    assert letterbox(read, 32).shape == (32, 32, 3)
    return ""


def read_tables(folder: Path, content: bytes) -> str:
    """Read a CSV in each of the layouts that lie in one."""
    refusals = []
    for name, layout in TABLES.items():
        place = folder / name
        place.mkdir(exist_ok=True)
        (place / "picture.png").write_bytes(PICTURE)
        (place / name).write_bytes(content)
        layout.fits(place)
        try:
            refusals += [refuse_item(opened, item) for opened in (layout(place),) for item in opened.list_items()]
        except InputError as refusal:
            refusals.append(str(refusal).replace(str(folder), ""))
    # Accepted as one of them, or refused by all.
    return "" if "" in refusals else refusals[0]


def refuse_item(layout: Layout, item: Item) -> str:
    """Read an item and return the reason for which it is refused, or ""."""
    try:
        labels = layout.read_labels(item)
        read = layout.read_picture(item, ImageLimits(1, 100_000))
        assert make_square(read, labels, 32).shape == (32, 32, 3)
    except UnusableImageError as refusal:
        return f"{refusal.reason}: {refusal.detail}"
    assert labels.expression in range(8)
    assert not abs(labels.valence) > 1
    assert not abs(labels.arousal) > 1
    return ""


def open_records(folder: Path, content: bytes) -> str:
    """Open a folder of records and read all of it."""
    images, index = cut(content)
    (folder / IMAGES_FILE).write_bytes(images)
    (folder / INDEX_FILE).write_bytes(index)
    try:
        records = read_records(folder)
    except InputError as refusal:
        return str(refusal)
    val = records.select("val") if "split" in records.index else records
    assert len(val.images[:]) == len(val.index)
    assert records.index["expression"].isin(range(8)).all()
    assert not (np.abs(records.index[["valence", "arousal"]].to_numpy()) > 1).any()
    return ""


def read_params(folder: Path, content: bytes) -> str:
    """Read parameters."""
    file = folder / "params.yaml"
    file.write_bytes(content)
    try:
        load_params(file)
    except InputError as refusal:
        return str(refusal)
    return ""


def cut(content: bytes) -> tuple[bytes, bytes]:
    """Divide an input into its two files."""
    first, _, second = content.partition(SEPARATOR)
    return first, second


TARGETS: dict[str, Target] = {
    "dataset": read_dataset,
    "tables": read_tables,
    "records": open_records,
    "params": read_params,
}
