"""AffectNet's folder of 2017's second release: strings in .npy files, and two sets whose ids collide."""

from pathlib import Path

import numpy as np
import pytest
from conftest import Workspace, draw_picture, write_face, write_labels
from opening import LIMITS, find_reasons, open_dataset, prepare_here, read_all, save_picture

from affect.data.layouts.registry import find_layouts
from affect.plumbing.errors import InputError


def write_landmarks(raw: Path, id: str, landmarks: np.ndarray) -> None:
    np.save(raw / "annotations" / f"{id}_lnd.npy", landmarks)


def test_each_label_is_read_as_affectnet_ships_it(tmp_path: Path) -> None:
    write_face(tmp_path, 0, "1", "0.785714", "-0.055556")
    write_face(tmp_path, 1, "7", "-2", "-2")
    write_face(tmp_path, 10, np.int64(0), np.float32(0.5), None)
    landmarks = np.arange(136) / 2
    write_landmarks(tmp_path, "0", landmarks)
    labels = read_all(tmp_path, "affectnet")
    assert list(labels) == ["0", "1", "10"]
    assert [label.expression for label in labels.values()] == [1, 7, 0]
    np.testing.assert_array_equal([label.valence for label in labels.values()], [0.785714, np.nan, 0.5])
    np.testing.assert_array_equal([label.arousal for label in labels.values()], [-0.055556, np.nan, np.nan])
    assert {label.landmarks is None for label in labels.values()} == {True}
    assert {(label.box, label.votes) for label in labels.values()} == {(None, None)}
    opened, items = open_dataset(tmp_path, "affectnet", align="eyes")
    read = opened.read_labels(items["0"]).landmarks
    assert read is not None
    np.testing.assert_array_equal(read, landmarks.reshape(68, 2))


def test_the_picture_is_the_files(tmp_path: Path) -> None:
    write_labels(tmp_path, 5, 0)
    picture = save_picture(tmp_path / "images" / "5.png")
    opened, items = open_dataset(tmp_path, "affectnet")
    np.testing.assert_array_equal(opened.read_picture(items["5"], LIMITS), picture)


def test_two_sets_with_the_same_ids_are_joined_with_their_split(tmp_path: Path) -> None:
    for folder, expressions in (("train_set", (3, 4, 5)), ("val_set", (6, 7))):
        for id, expression in enumerate(expressions):
            write_face(tmp_path / folder, id, expression, image=draw_picture(f"{folder}{id}"))
    opened, items = open_dataset(tmp_path, "affectnet")
    assert {id: (item.split, opened.read_labels(item).expression) for id, item in items.items()} == {
        "train_set/0": ("train", 3),
        "train_set/1": ("train", 4),
        "train_set/2": ("train", 5),
        "val_set/0": ("val", 6),
        "val_set/1": ("val", 7),
    }
    first, second = (opened.read_picture(items[f"{name}/0"], LIMITS) for name in ("train_set", "val_set"))
    assert np.abs(first.astype(int) - draw_picture("train_set0")).mean() < 6
    assert np.abs(second.astype(int) - draw_picture("val_set0")).mean() < 6


def test_one_set_is_read_by_its_own_ids_and_without_a_split(tmp_path: Path) -> None:
    write_face(tmp_path / "train_set", 0, 3)
    write_face(tmp_path / "val_set", 0, 6)
    _, items = open_dataset(tmp_path / "val_set", "affectnet")
    assert {id: item.split for id, item in items.items()} == {"0": None}


def test_both_sets_come_in_by_naming_the_folder_that_holds_them(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    for part, ids in (("train", range(24)), ("val", range(8))):
        for id in ids:
            write_face(workspace.raw / f"{part}_set", id, id % 8, image=draw_picture(f"{part}{id}"))
    prepare_here(workspace, monkeypatch)
    expected = {f"train_set/{id}": "train" for id in range(24)} | {f"val_set/{id}": "val" for id in range(8)}
    assert workspace.read_split() == expected


def test_landmarks_are_needed_where_faces_are_aligned(tmp_path: Path) -> None:
    for id in ("none", "few", "infinite"):
        write_face(tmp_path, id, 0)
    write_landmarks(tmp_path, "few", np.zeros(135))
    write_landmarks(tmp_path, "infinite", np.full(136, np.nan))
    assert find_reasons(tmp_path, "affectnet") == {}
    reasons = find_reasons(tmp_path, "affectnet", align="eyes")
    assert reasons["none"] == ("no_landmarks", "none_lnd.npy is missing, and data.align is eyes")
    assert reasons["few"][0] == "annotation_unreadable"
    assert reasons["infinite"] == ("annotation_unreadable", "infinite_lnd.npy is NaN")


def test_an_annotation_of_another_version_of_the_format_is_read(tmp_path: Path) -> None:
    write_face(tmp_path, 1, 0)
    with (tmp_path / "annotations" / "1_exp.npy").open("wb") as file:
        np.lib.format.write_array(file, np.array("4"), version=(2, 0))
    np.save(tmp_path / "annotations" / "1_val.npy", np.asfortranarray([[0.25]]))
    (label,) = read_all(tmp_path, "affectnet").values()
    assert (label.expression, label.valence) == (4, 0.25)


def test_the_layout_is_known_by_its_folders(tmp_path: Path) -> None:
    assert find_layouts(tmp_path) == []
    write_face(tmp_path / "one", 1, 0)
    assert find_layouts(tmp_path / "one") == ["affectnet"]
    write_face(tmp_path / "two" / "val_set", 1, 0)
    assert find_layouts(tmp_path / "two") == ["affectnet"]


def test_a_folder_of_another_layout_is_refused_with_the_way_to_find_out(tmp_path: Path) -> None:
    save_picture(tmp_path / "happy" / "1.png")
    with pytest.raises(InputError, match=r"images can't be listed: No such file.*src/look\.py"):
        open_dataset(tmp_path, "affectnet")
