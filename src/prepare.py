"""Check the dataset, choose and split its images, and pack them: `dvc repro prepare`, or `python src/prepare.py`."""

import sys
from pathlib import Path

import pandas as pd

from affect.core.files import atomic_folder, write_json, write_table
from affect.core.places import require_place
from affect.core.records import FILES, IMAGES_FILE, create_images, truncate_images, write_card, write_index
from affect.data.attributes import index_columns, list_dataset
from affect.data.images.reading import ImageLimits
from affect.data.ingestion import ingest
from affect.data.layouts.item import Item
from affect.data.splitting.choice import choose, name_split
from affect.data.splitting.split_file import read_split_file
from affect.data.summary import doubts_about_groups, refuse_faulty_dataset, summarise
from affect.plumbing import paths
from affect.plumbing.params import Data, load_params
from affect.plumbing.stage import run_stage


def main() -> None:
    """Run the stage."""
    data = load_params().data
    for file in (paths.PREPARE_METRICS, paths.SPLIT_LIST, paths.DROPPED_LIST):
        require_place(file)
    layout, items = list_dataset(data)
    given = read_given_split(data, items)
    limits = ImageLimits(data.min_side, data.max_pixels)
    with atomic_folder(paths.PREPARED, FILES) as folder:
        images = create_images(folder / IMAGES_FILE, len(items), data.image_size)
        ingested = ingest(layout, items, limits, images, "prepare")
        reason = "not_in_split_file" if data.split_file else "not_in_official_split"
        faces, dropped = leave_out_unlisted(ingested.faces, ingested.dropped, given, reason)
        write_table(paths.DROPPED_LIST, dropped)
        refuse_faulty_dataset(dropped, len(items), data.max_dropped, paths.DROPPED_LIST)
        used = choose(data, faces, ingested.hashes, given)
        images.reorder(used.index.to_numpy())
        truncate_images(images, len(used))
        write_index(folder, used[index_columns(used)])
        write_card(folder, data.raw, data.layout, data.align, len(used))
    write_table(paths.SPLIT_LIST, used[["id", "split"]])
    summary = summarise(len(items), len(faces), used, dropped) | {"split_from": name_split(data, given)}
    write_json(paths.PREPARE_METRICS, summary)
    report(summary)
    for doubt in doubts_about_groups(summary, used):
        print(f"prepare: {doubt}", file=sys.stderr)


def read_given_split(data: Data, items: list[Item]) -> pd.Series | None:
    """Return the split of each id that data.split_file lists, or that the dataset has; None where it is drawn."""
    if data.folds is not None:
        return None
    if data.split_file is not None:
        listed = read_split_file(Path(data.split_file))
        if len(absent := listed.index.difference([item.id for item in items])):
            told = f"{len(absent)}, such as {absent[0]!r}"
            print(f"prepare: ids of data.split_file that data.raw lacks: {told}", file=sys.stderr)
        return listed
    official = {item.id: item.split for item in items if item.split is not None}
    return pd.Series(official, name="split") if data.official_split and official else None


def leave_out_unlisted(
    faces: pd.DataFrame, dropped: pd.DataFrame, given: pd.Series | None, reason: str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Move the faces of which a given split does not say the side to the dropped ones."""
    if given is None:
        return faces, dropped
    unlisted = faces[~faces["id"].isin(given.index)]
    left_out = pd.DataFrame({"id": unlisted["id"], "reason": reason, "detail": "the split does not name it"})
    return faces.drop(unlisted.index), pd.concat([dropped, left_out])


def report(summary: dict) -> None:
    """Say in a line what was done."""
    parts = {name: counts["images"] for name, counts in summary["splits"].items()}
    print(f"prepare: {summary['found']} found, {summary['dropped']['total']} dropped, {summary['used']} used: {parts}")


if __name__ == "__main__":
    run_stage(main)
