"""Check the dataset, choose and split its images, and pack them: `dvc repro prepare`, or `python src/prepare.py`."""

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from affect.core.files import atomic_folder, write_json, write_table
from affect.core.places import require_place
from affect.core.records import FILES, IMAGES_FILE, create_images, truncate_images, write_index
from affect.data.affectnet import list_items
from affect.data.duplicates import group_duplicates
from affect.data.ingestion import ImageLimits, ingest
from affect.data.splitting import SPLITS, read_split_file, require_images, sample_stratified, split_by_fraction
from affect.data.summary import doubts_about_duplicates, summarise
from affect.plumbing import paths
from affect.plumbing.errors import InputError
from affect.plumbing.params import Data, load_params
from affect.plumbing.stage import run_stage

# Reasons that do not count towards data.max_dropped.
EXPECTED_REASONS = ("expression_none", "expression_uncertain", "expression_no_face", "not_in_split_file")


def main() -> None:
    """Run the stage."""
    params = load_params()
    for file in (paths.PREPARE_METRICS, paths.SPLIT_LIST, paths.DROPPED_LIST):
        require_place(file)
    raw = Path(params.data.raw)
    items = list_items(raw)
    listed = read_split_file(Path(params.data.split_file)) if params.data.split_file else None
    if listed is not None:
        report_absent(listed.index.difference([item.id for item in items]))
    limits = ImageLimits(params.data.min_side, params.data.max_pixels)
    with atomic_folder(paths.PREPARED, FILES) as folder:
        images = create_images(folder / IMAGES_FILE, len(items), params.data.image_size)
        ingested = ingest(raw, items, limits, images, "prepare")
        faces, dropped = leave_out_unlisted(ingested.faces, ingested.dropped, listed)
        write_table(paths.DROPPED_LIST, dropped)
        refuse_faulty_dataset(dropped, len(items), params.data.max_dropped)
        used = choose(params.data, faces, ingested.hashes, listed)
        images.reorder(used.index.to_numpy())
        truncate_images(images, len(used))
        write_index(folder, used)
    write_table(paths.SPLIT_LIST, used[["id", "split"]])
    summary = summarise(len(items), len(faces), used, dropped)
    write_json(paths.PREPARE_METRICS, summary)
    report(summary)
    for doubt in doubts_about_duplicates(summary["duplicates"], used):
        print(f"prepare: {doubt}", file=sys.stderr)


def report_absent(ids: pd.Index) -> None:
    """Warn of ids that the split file lists and the dataset does not hold."""
    if len(ids):
        print(f"prepare: ids of data.split_file that data.raw lacks: {len(ids)}, such as {ids[0]!r}", file=sys.stderr)


def leave_out_unlisted(
    faces: pd.DataFrame, dropped: pd.DataFrame, listed: pd.Series | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Move the faces that the split file does not list to the dropped ones."""
    if listed is None:
        return faces, dropped
    unlisted = faces[~faces["id"].isin(listed.index)]
    left_out = pd.DataFrame({"id": unlisted["id"], "reason": "not_in_split_file", "detail": "data.split_file"})
    return faces.drop(unlisted.index), pd.concat([dropped, left_out])


def refuse_faulty_dataset(dropped: pd.DataFrame, found: int, max_dropped: float) -> None:
    """Raise InputError where more than the allowed share of the images is faulty."""
    faulty = dropped[~dropped["reason"].isin(EXPECTED_REASONS)]
    if len(faulty) > max_dropped * found:
        first = faulty.iloc[0]
        raise InputError(
            f"{len(faulty)} of {found} images are faulty, more than data.max_dropped ({max_dropped:g}) allows; "
            f"the first is {first['id']} ({first['detail']}); all are listed in {paths.DROPPED_LIST}"
        )


def choose(data: Data, faces: pd.DataFrame, hashes: np.ndarray, listed: pd.Series | None) -> pd.DataFrame:
    """Return the rows of `faces` to use, with their duplicate group and split, train first."""
    by_id = faces.set_index("id")
    strata = by_id["expression"].astype(str)
    if listed is not None:
        strata += listed.reindex(by_id.index)
    if data.sample_size is not None:
        faces = faces[faces["id"].isin(sample_stratified(strata, data.sample_size, data.seed))]
    first = group_duplicates(hashes[faces.index], data.duplicate_distance)
    faces = faces.assign(group=faces["id"].to_numpy()[first])
    if listed is None:
        fractions = {"val": data.val_fraction, "test": data.test_fraction}
        listed = split_by_fraction(faces.set_index("id"), fractions, data.seed)
    faces = faces.assign(split=faces["id"].map(listed))
    require_images(faces, SPLITS if data.test_fraction else ("train", "val"))
    faces = faces.sort_values("split", key=lambda split: split.map(SPLITS.index), kind="stable")
    return faces[["id", "split", "expression", "valence", "arousal", "group"]]


def report(summary: dict) -> None:
    """Say in a line what was done."""
    parts = {name: counts["images"] for name, counts in summary["splits"].items()}
    print(f"prepare: {summary['found']} found, {summary['dropped']['total']} dropped, {summary['used']} used: {parts}")


if __name__ == "__main__":
    run_stage(main)
