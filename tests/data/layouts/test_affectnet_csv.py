"""AffectNet's lists of 2017: faces in larger pictures, landmarks as text, a list with a header and one without."""

from pathlib import Path

import numpy as np
import pytest
from opening import LIMITS, find_reasons, open_dataset, read_all, save_picture

from affect.data.images.cropping import Box
from affect.data.ingestion import make_square
from affect.data.layouts.registry import find_layouts
from affect.plumbing.errors import InputError

HEADER = (
    *("subDirectory_filePath", "face_x", "face_y", "face_width", "face_height"),
    *("facial_landmarks", "expression", "valence", "arousal"),
)
POINTS = np.arange(136) / 4 + 3
LANDMARKS = ";".join(map(str, POINTS))
LISTS, PICTURES = "Manually_Annotated_file_lists", "Manually_Annotated_Images"


def row(path: str, expression: object, valence: object, arousal: object, box: str = "8,9,40,44") -> str:
    return f"{path},{box},{LANDMARKS},{expression},{valence},{arousal}"


def write_list(file: Path, *rows: str, header: bool = True) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(([",".join(HEADER)] if header else []) + list(rows)) + "\n", encoding="utf-8")


@pytest.fixture
def release(tmp_path: Path) -> Path:
    """The release as it unpacks: folders of numbers with pictures, and a folder of lists."""
    for number, path in enumerate(("689/aa.jpg", "689/bb.JPG", "1/cc.png", "12/dd.jpg")):
        save_picture(tmp_path / PICTURES / path, number)
    training = row("689/aa.jpg", 1, 0.785714, -0.055556), row("689/bb.JPG", 0, -2, -2), row("1/cc.png", 5, -0.7, 0.4)
    write_list(tmp_path / LISTS / "training.csv", *training)
    write_list(tmp_path / LISTS / "validation.csv", row("12/dd.jpg", 7, -0.5, 0.6), header=False)
    return tmp_path


def test_each_label_is_read(release: Path) -> None:
    opened, items = open_dataset(release, "affectnet_csv")
    labels = {id: opened.read_labels(item) for id, item in items.items()}
    assert {
        id: (label.expression, item.split) for (id, label), item in zip(labels.items(), items.values(), strict=True)
    } == {
        "aa": (1, "train"),
        "bb": (0, "train"),
        "cc": (5, "train"),
        "dd": (7, "val"),
    }
    np.testing.assert_array_equal([label.valence for label in labels.values()], [0.785714, np.nan, -0.7, -0.5])
    np.testing.assert_array_equal([label.arousal for label in labels.values()], [-0.055556, np.nan, 0.4, 0.6])
    assert {(label.box, label.landmarks is None) for label in labels.values()} == {(Box(8, 9, 40, 44), True)}


def test_landmarks_are_read_where_faces_are_aligned(release: Path) -> None:
    for label in read_all(release, "affectnet_csv", align="eyes").values():
        assert label.landmarks is not None
        np.testing.assert_array_equal(label.landmarks, POINTS.reshape(68, 2))


def test_the_face_is_cut_out_by_its_box(release: Path) -> None:
    opened, items = open_dataset(release, "affectnet_csv")
    picture = opened.read_picture(items["aa"], LIMITS)
    # 40 wide and 44 high at 8, 9: the square of 44 begins at 6.
    np.testing.assert_array_equal(make_square(picture, opened.read_labels(items["aa"]), 44), picture[9:53, 6:50])


def test_one_list_can_be_named(release: Path) -> None:
    _, items = open_dataset(release, "affectnet_csv", table="validation.csv")
    assert list(items) == ["dd"]
    with pytest.raises(InputError, match=r"data\.table: .* has no mine\.csv, in it or one folder below"):
        open_dataset(release, "affectnet_csv", table="mine.csv")


def test_the_automatic_list_is_read_where_it_is_named_or_alone(release: Path) -> None:
    save_picture(release / "Automatically_Annotated_Images" / "3" / "ee.jpg")
    write_list(release / LISTS / "automatically_annotated.csv", row("3/ee.jpg", 2, 0.1, 0.2))
    assert set(open_dataset(release, "affectnet_csv")[1]) == {"aa", "bb", "cc", "dd"}
    _, items = open_dataset(release, "affectnet_csv", table="automatically_annotated.csv")
    assert {id: (item.file, item.split) for id, item in items.items()} == {
        "ee": ("Automatically_Annotated_Images/3/ee.jpg", None)
    }
    for name in ("training.csv", "validation.csv"):
        (release / LISTS / name).unlink()
    assert set(open_dataset(release, "affectnet_csv")[1]) == {"ee"}


def test_a_faulty_row_drops_its_picture(release: Path) -> None:
    rows = {
        "none": row("1/cc.png", 8, -2, -2),
        "uncertain": row("12/dd.jpg", 9, -2, -2),
        "no_box": row("689/aa.jpg", 1, 0, 0, box="8,9,0,44"),
        "not_a_number": row("689/bb.JPG", "happy", 0, 0),
        "absent": row("1/xx.jpg", 1, 0, 0),
        "outside": row("../outside.jpg", 1, 0, 0),
        "absolute": row("/etc/passwd.jpg", 1, 0, 0),
        "above": row("1/va.jpg", 1, 1.5, 0),
    }
    save_picture(release / PICTURES / "1" / "va.jpg")
    save_picture(release / "outside.jpg")
    (release / LISTS / "validation.csv").unlink()
    write_list(release / LISTS / "training.csv", *rows.values())
    reasons = find_reasons(release, "affectnet_csv")
    assert {id: reason for id, (reason, _) in reasons.items()} == {
        "cc": "expression_none",
        "dd": "expression_uncertain",
        "aa": "box_unreadable",
        "bb": "annotation_unreadable",
        "xx": "no_image",
        "outside": "no_image",
        "passwd": "no_image",
        "va": "affect_out_of_range",
    }
    assert reasons["bb"][1] == "expression of bb is 'happy', not a number"
    assert "lies outside data.raw" in reasons["outside"][1]
    assert reasons["passwd"][1] == f"there is no file '{PICTURES}//etc/passwd.jpg'"


def test_a_picture_in_two_rows_is_dropped(release: Path) -> None:
    write_list(release / LISTS / "validation.csv", row("689/aa.jpg", 3, 0, 0), row("12/dd.jpg", 7, 0, 0), header=False)
    assert find_reasons(release, "affectnet_csv") == {
        f"{PICTURES}/689/aa.jpg": ("duplicate_id", f"{PICTURES}/689/aa.jpg is in several rows")
    }


def test_too_few_landmarks_drop_the_picture(release: Path) -> None:
    file = release / LISTS / "training.csv"
    file.write_text(file.read_text().replace(LANDMARKS, "1.5;2.5", 1))
    assert find_reasons(release, "affectnet_csv") == {}
    assert find_reasons(release, "affectnet_csv", align="eyes") == {
        "aa": ("no_landmarks", "aa has 2 numbers of landmarks, not 136")
    }


def test_a_list_without_a_column_is_refused_by_its_name(release: Path) -> None:
    file = release / LISTS / "training.csv"
    file.write_text(file.read_text().replace("face_width,", "width,", 1))
    with pytest.raises(InputError, match=r"training\.csv has the columns .*, width, .*but needs .*face_width"):
        open_dataset(release, "affectnet_csv")


def test_a_folder_without_lists_or_without_their_pictures_is_refused(release: Path) -> None:
    with pytest.raises(InputError, match=r"has none of training\.csv, validation\.csv, automatically_annotated\.csv"):
        open_dataset(release / PICTURES, "affectnet_csv")
    (release / PICTURES).rename(release / LISTS / "elsewhere")
    with pytest.raises(InputError, match=r"has no picture of .*training\.csv, such as '689/aa\.jpg'"):
        open_dataset(release, "affectnet_csv")


def test_the_layout_is_known_by_its_lists(release: Path) -> None:
    assert find_layouts(release) == ["affectnet_csv"]
    (release / LISTS / "training.csv").unlink()
    assert find_layouts(release) == ["affectnet_csv"]
