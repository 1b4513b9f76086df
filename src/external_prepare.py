"""Prepare a dataset that the models were not trained on: `dvc repro pipelines/external/dvc.yaml:prepare@NAME`."""

import argparse
import re
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pandas as pd

from affect.core.files import atomic_folder, write_json, write_table
from affect.core.places import require_place
from affect.core.records import FILES, IMAGES_FILE, create_images, truncate_images, write_card, write_index
from affect.data.attributes import index_columns, list_dataset
from affect.data.images.reading import ImageLimits
from affect.data.ingestion import ingest
from affect.data.splitting.duplicates import group_duplicates
from affect.data.splitting.sampling import sample_stratified
from affect.data.summary import refuse_faulty_dataset, summarise
from affect.plumbing import paths
from affect.plumbing.errors import InputError
from affect.plumbing.params import Data, ExternalDataset, load_external, load_params
from affect.plumbing.stage import run_stage


def main() -> None:
    """Run the stage."""
    command = argparse.ArgumentParser(description=__doc__)
    command.add_argument("name", help=f"of a dataset in {paths.EXTERNAL_PARAMS}")
    name = command.parse_args().name
    dataset, data = load_external().find(name), load_params().data
    metrics, dropped = (paths.EXTERNAL_METRICS / name / file for file in ("prepare.json", "dropped.csv"))
    for file in (metrics, dropped):
        require_place(file)
    with atomic_folder(paths.EXTERNAL / name, FILES) as folder, named(name):
        layout, items = list_dataset(dataset)
        images = create_images(folder / IMAGES_FILE, len(items), data.image_size)
        limits = ImageLimits(dataset.min_side, dataset.max_pixels)
        ingested = ingest(layout, items, limits, images, name)
        write_table(dropped, ingested.dropped)
        refuse_faulty_dataset(ingested.dropped, len(items), dataset.max_dropped, dropped)
        used = choose(dataset, data, ingested.faces, ingested.hashes)
        images.reorder(used.index.to_numpy())
        truncate_images(images, len(used))
        write_index(folder, used[index_columns(used.drop(columns="split"))])
        write_card(folder, dataset.raw, dataset.layout, dataset.align, len(used))
    summary = summarise(len(items), len(ingested.faces), used, ingested.dropped)
    write_json(metrics, summary)
    print(f"external_prepare: {name}: {len(items)} found, {summary['dropped']['total']} dropped, {len(used)} used")


@contextmanager
def named(name: str) -> Iterator[None]:
    """Name the dataset in an InputError, whose own text speaks of the section data."""
    try:
        yield
    except InputError as error:
        told = re.sub(r"-S ('?)data\.", rf"-S \1{paths.EXTERNAL_PARAMS}:++datasets.{name}.", str(error))
        raise InputError(f"dataset {name} of {paths.EXTERNAL_PARAMS}: {told}") from None


def choose(dataset: ExternalDataset, data: Data, faces: pd.DataFrame, hashes: np.ndarray) -> pd.DataFrame:
    """Return the rows of `faces` to use, with the columns picture and split, which is test for all.

    Raises InputError where there is none, or fewer than asked for.
    """
    if faces.empty:
        raise InputError(f"none of the images in {dataset.raw} has one of the eight expressions")
    if dataset.sample_size is not None:
        strata = faces.set_index("id")["expression"].astype(str)
        faces = faces[faces["id"].isin(sample_stratified(strata, dataset.sample_size, dataset.seed))]
    first = group_duplicates(hashes[faces.index], data.duplicate_distance)
    return faces.assign(picture=faces["id"].to_numpy()[first], split="test")


if __name__ == "__main__":
    run_stage(main)
