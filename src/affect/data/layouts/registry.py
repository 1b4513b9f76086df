"""The layouts by the names that data.layout has for them."""

from pathlib import Path

from affect.data.layouts.affectnet import AffectNet
from affect.data.layouts.affectnet_csv import AffectNetCsv
from affect.data.layouts.fer2013 import Fer2013
from affect.data.layouts.folders import Folders
from affect.data.layouts.item import Layout
from affect.data.layouts.table import Table
from affect.plumbing.errors import InputError
from affect.plumbing.params import Dataset

LAYOUTS: dict[str, type[Layout]] = {
    "affectnet": AffectNet,
    "affectnet_csv": AffectNetCsv,
    "folders": Folders,
    "table": Table,
    "fer2013": Fer2013,
}
# What is said of a dataset where nothing is said that is of a layout.
UNSET: dict[str, object] = {
    "table": None,
    "columns": None,
    "classes": None,
    "va_range": [-1.0, 1.0],
    "votes": None,
    "align": "none",
}


def open_layout(dataset: Dataset) -> Layout:
    """Return the layout of a dataset, which has read nothing yet. Raises InputError where it can't do what is asked."""
    raw, align = Path(dataset.raw), dataset.align == "eyes"
    if not raw.is_dir():
        raise InputError(f"data.raw: {raw} is not a folder; point it at a dataset, as data/README.md says")
    for name, unset in UNSET.items():
        if getattr(dataset, name) != unset and name not in LAYOUTS[dataset.layout].reads:
            able = ", ".join(other for other, layout in LAYOUTS.items() if name in layout.reads)
            neutral = "null" if unset is None else str(unset).replace(" ", "")
            raise InputError(
                f"data.{name}: the layout {dataset.layout} does not read it, but {able}; set it to {neutral}"
            )
    match dataset.layout:
        case "affectnet":
            return AffectNet(raw, align)
        case "affectnet_csv":
            return AffectNetCsv(raw, dataset.table, align)
        case "folders":
            return Folders(raw, dataset.classes)
        case "table":
            return Table(raw, dataset.table, dataset.classes, dataset.column_map, dataset.va_bounds)
        case "fer2013":
            return Fer2013(raw, dataset.table, dataset.votes)


def find_layouts(raw: Path) -> list[str]:
    """Return the names of the layouts that a folder looks like."""
    return [name for name, layout in LAYOUTS.items() if layout.fits(raw)]
