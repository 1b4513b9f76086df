"""What the tests of the layouts share: a dataset opened as `prepare` opens it, and pictures that can be told apart."""

from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, Workspace, draw_picture
from PIL import Image

import prepare
from affect.data.attributes import list_dataset
from affect.data.images.reading import ImageLimits, UnusableImageError
from affect.data.layouts.item import Item, Labels, Layout
from affect.plumbing.params import Data, load_params

LIMITS = ImageLimits(16, 10**6)


def list_items(raw: Path, layout: str, **changes: object) -> tuple[Layout, list[Item]]:
    """Open a dataset with changed parameters and list its items."""
    params = load_params(ROOT / "params.yaml").data.model_dump() | {"raw": str(raw), "layout": layout} | changes
    return list_dataset(Data(**params))


def open_dataset(raw: Path, layout: str, **changes: object) -> tuple[Layout, dict[str, Item]]:
    """Open a dataset with changed parameters; its items by their ids, which are unique."""
    opened, items = list_items(raw, layout, **changes)
    by_id = {item.id: item for item in items}
    assert len(by_id) == len(items)
    return opened, by_id


def read_all(raw: Path, layout: str, **changes: object) -> dict[str, Labels]:
    """Read the labels of a dataset, each of which is usable."""
    opened, items = open_dataset(raw, layout, **changes)
    return {id: opened.read_labels(item) for id, item in items.items()}


def find_reasons(raw: Path, layout: str, **changes: object) -> dict[str, tuple[str, str]]:
    """Return the reason and the detail of each id that can't be used, by its labels or its picture."""
    opened, items = list_items(raw, layout, **changes)
    found = {}
    for item in items:
        try:
            opened.read_labels(item)
            opened.read_picture(item, LIMITS)
        except UnusableImageError as refusal:
            found[item.id] = (refusal.reason, refusal.detail)
    return found


def save_picture(file: Path, seed: int | str = 0, side: int = 64) -> np.ndarray:
    """Write a picture without loss, whatever the name's ending, and return it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    picture = draw_picture(seed, side)
    Image.fromarray(picture).save(file, "PNG")
    return picture


def prepare_here(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run `prepare` in this process, where it costs no start of Python."""
    monkeypatch.chdir(workspace.folder)
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
    prepare.main()
