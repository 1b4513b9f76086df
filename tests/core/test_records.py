"""Packed records come back as they were written, and damage is named."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from affect.core.labels import VOTES
from affect.core.records import IMAGES_FILE, INDEX_FILE, create_images, read_records, truncate_images, write_index
from affect.plumbing.errors import InputError

INDEX = pd.DataFrame(
    {
        "id": ["007", "NA", "a b"],
        "split": ["train", "train", "val"],
        "expression": [0, 7, 3],
        "valence": [0.25, np.nan, -1],
        "arousal": [np.nan, 0.5, 1],
    }
)
IMAGES = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), np.uint8)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create_images(tmp_path / IMAGES_FILE, 3, 8).write(0, IMAGES)
    write_index(tmp_path, INDEX)
    return tmp_path


def test_what_is_written_is_read(folder: Path) -> None:
    records = read_records(folder)
    np.testing.assert_array_equal(records.images[:], IMAGES)
    pd.testing.assert_frame_equal(records.index, INDEX, check_dtype=False)
    assert records.index["id"].tolist() == ["007", "NA", "a b"]


def test_a_split_is_selected_with_its_images(folder: Path) -> None:
    val = read_records(folder).select("val")
    assert val.index["id"].tolist() == ["a b"]
    np.testing.assert_array_equal(val.images[:], IMAGES[2:])
    assert len(read_records(folder).select("test").images) == 0


def test_the_images_are_an_array_file_of_numpy(folder: Path) -> None:
    np.testing.assert_array_equal(np.load(folder / IMAGES_FILE), IMAGES)


@pytest.mark.parametrize("kept", [0, 1, 3])
def test_images_are_cut_to_the_first(folder: Path, kept: int) -> None:
    images = create_images(folder / IMAGES_FILE, 100_000, 8)
    images.write(0, IMAGES)
    truncate_images(images, kept)
    np.testing.assert_array_equal(np.load(folder / IMAGES_FILE), IMAGES[:kept])


@pytest.mark.parametrize("file", [IMAGES_FILE, INDEX_FILE])
def test_a_missing_file_is_named(folder: Path, file: str) -> None:
    (folder / file).unlink()
    with pytest.raises(InputError, match=file):
        read_records(folder)


def test_images_cut_short_are_refused(folder: Path) -> None:
    file = folder / IMAGES_FILE
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(InputError, match="not readable as records"):
        read_records(folder)


def test_an_index_of_another_length_is_refused(folder: Path) -> None:
    INDEX[:2].to_csv(folder / INDEX_FILE, index=False)
    with pytest.raises(InputError, match=r"index\.csv has 2 rows for 3 images"):
        read_records(folder)


@pytest.mark.parametrize("votes", [[0.5, 0.4], [1.2, -0.2]], ids=["not all", "negative"])
def test_votes_are_shares_of_a_whole(folder: Path, votes: list[float]) -> None:
    shares = pd.DataFrame(0.0, index=INDEX.index, columns=VOTES).assign(vote_happy=1.0)
    write_index(folder, INDEX.join(shares))
    assert read_records(folder).index["vote_happy"].tolist() == [1.0] * 3
    shares.loc[1, VOTES[:2]] = votes
    write_index(folder, INDEX.join(shares))
    with pytest.raises(InputError, match="no shares of a whole"):
        read_records(folder)
