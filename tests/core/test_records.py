"""Packed records come back as they were written, and damage is named."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from affect.core.records import (
    CARD_FILE,
    IMAGES_FILE,
    INDEX_FILE,
    create_images,
    read_card,
    read_records,
    truncate_images,
    write_card,
    write_index,
)
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


def hash_of(folder: Path) -> str:
    return write_card(folder, "data/faces", "folders", "none", 3).hash


def test_the_card_says_what_the_records_are_and_is_the_same_again(folder: Path) -> None:
    written = write_card(folder, "data/faces", "folders", "eyes", 3, made_of="12ab")
    assert read_card(folder) == written
    said = (written.dataset, written.layout, written.align, written.images, written.made_of)
    assert said == ("data/faces", "folders", "eyes", 3, "12ab")
    before = (folder / CARD_FILE).read_bytes()
    write_card(folder, "data/faces", "folders", "eyes", 3, made_of="12ab")
    assert (folder / CARD_FILE).read_bytes() == before


def test_one_pixel_or_one_label_makes_another_hash(folder: Path) -> None:
    hashes = {hash_of(folder)}
    create_images(folder / IMAGES_FILE, 3, 8).write(0, IMAGES ^ (np.arange(IMAGES.size) == 5).reshape(IMAGES.shape))
    hashes.add(hash_of(folder))
    write_index(folder, INDEX.assign(split="train"))
    hashes.add(hash_of(folder))
    assert len(hashes) == 3


def test_the_card_is_read_without_a_look_at_the_records(folder: Path) -> None:
    written = write_card(folder, "data/faces", "folders", "none", 3)
    (folder / IMAGES_FILE).unlink()
    (folder / INDEX_FILE).unlink()
    assert read_card(folder) == written


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"\xff", b'{"dataset": "a"}', b'{"dataset": 1, "layout": "a", "images": "3"}']
)
def test_a_damaged_card_is_named_on_one_line(folder: Path, content: bytes) -> None:
    (folder / CARD_FILE).write_bytes(content)
    with pytest.raises(InputError, match=r"dataset\.json: not readable as a card.*remove it and run dvc repro") as said:
        read_card(folder)
    assert "\n" not in str(said.value)


def test_a_missing_card_is_named(folder: Path) -> None:
    with pytest.raises(InputError, match=r"dataset\.json: cannot be read \(No such file.*run dvc repro"):
        read_card(folder)
