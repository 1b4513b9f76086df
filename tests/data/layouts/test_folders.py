"""Class folders as RAF-DB, FER2013 and CK+ are passed round."""

from pathlib import Path

import numpy as np
import pytest
from opening import LIMITS, find_reasons, list_items, open_dataset, read_all, save_picture

from affect.core.labels import EXPRESSIONS
from affect.data.layouts.classes import SYNONYMS
from affect.data.layouts.registry import find_layouts
from affect.plumbing.errors import InputError

# RAF-DB's numbers.
RAF = ["1:surprise", "2:fear", "3:disgust", "4:happiness", "5:sadness", "6:anger", "7:neutral"]


@pytest.mark.parametrize("expression", range(8))
def test_every_name_of_an_expression_is_known(tmp_path: Path, expression: int) -> None:
    name = EXPRESSIONS[expression]
    for spelling in (name, *SYNONYMS[name], name.upper(), f"{name.capitalize()}"):
        save_picture(tmp_path / spelling / f"{spelling}.png")
    labels = read_all(tmp_path, "folders")
    assert {label.expression for label in labels.values()} == {expression}
    assert all(np.isnan((label.valence, label.arousal)).all() for label in labels.values())


def test_fer2013_in_folders(tmp_path: Path) -> None:
    """Names repeat from class to class: the path is then the id."""
    for place in ("train/angry/im0.png", "train/happy/im0.png", "test/happy/im0.png", "train/happy/im1.png"):
        save_picture(tmp_path / place, place)
    opened, items = open_dataset(tmp_path, "folders")
    assert {id: (item.split, opened.read_labels(item).expression) for id, item in items.items()} == {
        "train/angry/im0.png": ("train", 6),
        "train/happy/im0.png": ("train", 1),
        "test/happy/im0.png": ("test", 1),
        "im1": ("train", 1),
    }
    picture = opened.read_picture(items["im1"], LIMITS)
    np.testing.assert_array_equal(picture, save_picture(tmp_path / "again.png", "train/happy/im1.png"))


def test_raf_db_in_folders_of_numbers_needs_a_map(tmp_path: Path) -> None:
    for number in range(1, 8):
        save_picture(tmp_path / "train" / str(number) / f"train_0000{number}_aligned.jpg")
    save_picture(tmp_path / "test" / "4" / "test_0001_aligned.jpg")
    with pytest.raises(
        InputError, match=r"'4' \(2 images\), '1' \(1 images\).*differs between datasets.*data\.classes="
    ):
        open_dataset(tmp_path, "folders")
    with pytest.raises(InputError, match=r"nor in data\.classes: '7' \(1 images\);"):
        open_dataset(tmp_path, "folders", classes=RAF[:-1])
    labels = read_all(tmp_path, "folders", classes=RAF)
    assert [labels[f"train_0000{number}_aligned"].expression for number in range(1, 8)] == [3, 4, 5, 1, 2, 6, 0]
    assert labels["test_0001_aligned"].expression == 1


def test_ck_plus_has_a_person_in_its_folders(tmp_path: Path) -> None:
    for place in ("anger/S010/S010_004_00000017.png", "happy/S010/S010_006_00000015.png", "fear/S11/a.png"):
        save_picture(tmp_path / place)
    by_level = {id: item.columns["person"] for id, item in open_dataset(tmp_path, "folders", person=-1)[1].items()}
    assert by_level == {"S010_004_00000017": "S010", "S010_006_00000015": "S010", "a": "S11"}
    assert {
        id: item.columns["person"] for id, item in open_dataset(tmp_path, "folders", person=2)[1].items()
    } == by_level
    with pytest.raises(InputError, match=r"data\.person: 'anger/S010/S010_004_00000017\.png' has no folder of level 3"):
        open_dataset(tmp_path, "folders", person=3)


def test_a_person_is_the_first_group_of_an_expression_on_the_id(tmp_path: Path) -> None:
    for place in ("anger/S010_004.png", "happy/S011_006.png"):
        save_picture(tmp_path / place)
    for rule in (r"^(S\d+)_", r"^S\d+", r"^(?:(X\d+)|(S\d+))_"):
        _, items = open_dataset(tmp_path, "folders", person=rule)
        assert [item.columns["person"] for item in items.values()] == ["S010", "S011"]
    for rule in (r"^(S010)", r"^(x?)S"):
        with pytest.raises(InputError, match=r"data\.person: .* finds no person in the id 'S01"):
            open_dataset(tmp_path, "folders", person=rule)


def test_a_person_is_one_however_accents_are_stored(tmp_path: Path) -> None:
    for number, name in enumerate(("Zo\u00eb", "Zoe\u0308")):
        save_picture(tmp_path / "happy" / name / f"{number}.png")
    _, items = open_dataset(tmp_path, "folders", person=-1)
    assert {item.columns["person"] for item in items.values()} == {"Zo\u00eb"}


def test_a_class_can_be_left_out(tmp_path: Path) -> None:
    for place in ("bored/a.png", "happy/b.png"):
        save_picture(tmp_path / place)
    with pytest.raises(InputError, match=r"'bored' \(1 images\).*data\.classes=\[bored:happy\]'.*null to leave it out"):
        open_dataset(tmp_path, "folders")
    assert find_reasons(tmp_path, "folders", classes=["bored:null"]) == {
        "a": ("class_left_out", "bored/a.png: data.classes leaves its class out")
    }


@pytest.mark.parametrize(
    ("entry", "named"),
    [("1", "'1' should be"), ("1:joy", "'1:joy' should be"), (":happy", "':happy' should be")],
)
def test_a_map_that_says_nothing_is_refused(tmp_path: Path, entry: str, named: str) -> None:
    save_picture(tmp_path / "1" / "a.png")
    with pytest.raises(InputError, match=f"data.classes: {named} NAME:EXPRESSION.*neutral, happy, .*or null"):
        open_dataset(tmp_path, "folders", classes=[entry])


def test_a_map_that_names_a_class_twice_is_refused(tmp_path: Path) -> None:
    save_picture(tmp_path / "1" / "a.png")
    with pytest.raises(InputError, match=r"data\.classes: '1' is there twice"):
        open_dataset(tmp_path, "folders", classes=["1:happy", "1:sad"])


def test_notes_are_passed_over_wherever_they_are(tmp_path: Path) -> None:
    save_picture(tmp_path / "happy" / "a.png")
    for note in ("README.md", "LICENSE", "happy/notes.txt", "docs/paper.pdf", "attributes/age.csv", "happy/Thumbs.db"):
        (tmp_path / note).parent.mkdir(exist_ok=True)
        (tmp_path / note).write_text("a note")
    assert find_reasons(tmp_path, "folders") == {}
    assert set(read_all(tmp_path, "folders")) == {"a"}


def test_a_picture_that_is_not_read_is_a_fault_and_no_note(tmp_path: Path) -> None:
    save_picture(tmp_path / "happy" / "a.png")
    save_picture(tmp_path / "happy" / "b.tiff")
    assert find_reasons(tmp_path, "folders") == {"b": ("no_image", "happy/b.tiff is of no ending that is read")}
    save_picture(tmp_path / "joy" / "c.tiff")
    with pytest.raises(InputError, match=r"'joy' \(1 images\)"):
        open_dataset(tmp_path, "folders")


def test_a_picture_in_no_class_is_refused(tmp_path: Path) -> None:
    save_picture(tmp_path / "train" / "happy" / "a.png")
    save_picture(tmp_path / "train" / "b.png")
    with pytest.raises(InputError, match=r"train/b\.png lies in no folder of a class"):
        open_dataset(tmp_path, "folders")


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "happy").mkdir()
    with pytest.raises(InputError, match=r"holds no \.jpg, \.jpeg"):
        open_dataset(tmp_path, "folders")


def test_two_files_whose_names_look_the_same_are_dropped(tmp_path: Path) -> None:
    for name in ("Zo\u00eb", "Zoe\u0308"):
        save_picture(tmp_path / "happy" / f"{name}.png", name)
    save_picture(tmp_path / "happy" / "b.png")
    reasons = find_reasons(tmp_path, "folders")
    assert {id: reason for id, (reason, _) in reasons.items()} == {"happy/Zo\u00eb.png": "duplicate_id"}


def test_the_layout_is_known_by_the_name_of_a_class(tmp_path: Path) -> None:
    save_picture(tmp_path / "pictures" / "a.png")
    assert find_layouts(tmp_path) == []
    save_picture(tmp_path / "train" / "Happiness" / "a.png")
    assert find_layouts(tmp_path) == ["folders"]


def test_odd_names_are_ids_or_faults_and_nothing_else(tmp_path: Path) -> None:
    names = ("a b", "it's", 'say "hi"', "a,b", "-rf", "$(touch fired)", "%s", "nan", "名", "new\nline")
    for name in names:
        save_picture(tmp_path / "happy" / f"{name}.png")
    assert set(open_dataset(tmp_path, "folders")[1]) == set(names)
    assert {id: reason for id, (reason, _) in find_reasons(tmp_path, "folders").items()} == {
        "new\nline": "name_unprintable"
    }


def test_faces_in_folders_have_no_landmarks(tmp_path: Path) -> None:
    save_picture(tmp_path / "happy" / "a.png")
    with pytest.raises(
        InputError, match=r"data\.align: .* does not read it, but affectnet, affectnet_csv; set it to none"
    ):
        open_dataset(tmp_path, "folders", align="eyes")


@pytest.mark.parametrize(
    ("name", "value"), [("votes", "soft"), ("columns", ["path:x"]), ("table", "a.csv"), ("va_range", [-10.0, 10.0])]
)
def test_a_parameter_that_the_layout_does_not_read_is_refused(tmp_path: Path, name: str, value: object) -> None:
    save_picture(tmp_path / "happy" / "1.png")
    with pytest.raises(InputError, match=rf"data\.{name}: the layout folders does not read it, but .*; set it to"):
        list_items(tmp_path, "folders", **{name: value})


def test_the_splits_of_fer2013_are_known_by_their_own_names(tmp_path: Path) -> None:
    for split in ("Training", "PublicTest", "PrivateTest"):
        save_picture(tmp_path / split / "happy" / f"{split}.png")
    _, items = list_items(tmp_path, "folders")
    assert {item.id: item.split for item in items} == {"Training": "train", "PublicTest": "val", "PrivateTest": "test"}
