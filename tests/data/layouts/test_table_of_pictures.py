"""A CSV of pictures, as someone writes it with pandas or a spreadsheet."""

import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import Workspace, draw_picture
from opening import LIMITS, find_reasons, open_dataset, prepare_here, read_all, save_picture
from PIL import Image

from affect.core.records import read_records
from affect.data.images.cropping import Box
from affect.data.layouts.registry import find_layouts
from affect.plumbing.errors import InputError

ALL = "path,expression,valence,arousal,person,split,box,age\n"


def write_table(raw: Path, text: str, name: str = "labels.csv") -> None:
    raw.mkdir(parents=True, exist_ok=True)
    (raw / name).write_text(text, encoding="utf-8")


def test_each_column_is_read(tmp_path: Path) -> None:
    rows = (
        "a.png,happy,0.5,-1,ann,train,1 2 30 40,young\nin/b.png,Angry,,-2,,VALID,,old\nc.png,contempt,1,0,ann,test,,\n"
    )
    write_table(tmp_path, ALL + rows)
    picture = save_picture(tmp_path / "in" / "b.png")
    opened, items = open_dataset(tmp_path, "table")
    labels = [opened.read_labels(item) for item in items.values()]
    assert list(items) == ["a", "b", "c"]
    assert [label.expression for label in labels] == [1, 6, 7]
    np.testing.assert_array_equal([label.valence for label in labels], [0.5, np.nan, 1])
    np.testing.assert_array_equal([label.arousal for label in labels], [-1, np.nan, 0])
    assert [label.box for label in labels] == [Box(1, 2, 30, 40), None, None]
    assert [item.split for item in items.values()] == ["train", "val", "test"]
    assert [dict(item.columns) for item in items.values()] == [
        {"person": "ann", "age": "young"},
        {"person": "", "age": "old"},
        {"person": "ann", "age": ""},
    ]
    np.testing.assert_array_equal(opened.read_picture(items["b"], LIMITS), picture)


def test_columns_of_other_names_are_mapped(tmp_path: Path) -> None:
    write_table(tmp_path, "file name,label,x,y,w,h,expression\nb.png,1,1,2,3,4,ignored\na.png,2,5,6,7,8,ignored\n")
    labels = read_all(
        tmp_path,
        "table",
        columns=["path:file name", "expression:label", "box:x y w h", "id:label"],
        classes=["1:surprise", "2:fear"],
    )
    assert {id: (label.expression, label.box) for id, label in labels.items()} == {
        "1": (3, Box(1, 2, 3, 4)),
        "2": (4, Box(5, 6, 7, 8)),
    }


def test_two_columns_can_change_their_names(tmp_path: Path) -> None:
    write_table(tmp_path, "path,expression,valence,arousal\na.png,sad,0.1,0.2\n")
    (label,) = read_all(tmp_path, "table", columns=["valence:arousal", "arousal:valence"]).values()
    assert (label.valence, label.arousal) == (0.2, 0.1)


@pytest.mark.parametrize(
    ("text", "scaled"), [("-10", -1), ("0", 0), ("10", 1), ("-2", -0.2), ("1e1", 1), ("10.000001", 1)]
)
def test_valence_and_arousal_are_scaled(tmp_path: Path, text: str, scaled: float) -> None:
    """AFEW-VA's go from -10 to 10, where -2 is a value as any other."""
    write_table(tmp_path, f"path,expression,valence,arousal\na.png,sad,{text},0\n")
    (label,) = read_all(tmp_path, "table", va_range=[-10.0, 10.0]).values()
    assert label.valence == pytest.approx(scaled, abs=1e-12)
    assert label.arousal == 0


@pytest.mark.parametrize(
    ("row", "reason", "detail"),
    [
        ("a.png,,0,0,,", "no_annotation", "a has no expression"),
        ("a.png,sad,1.5,0,,", "affect_out_of_range", "valence of a is 1.5, not in [-1, 1] or -2"),
        ("a.png,sad,0,-3,,", "affect_out_of_range", "arousal of a is -3, not in [-1, 1]"),
        ("a.png,sad,high,0,,", "annotation_unreadable", "valence of a is 'high', not a number"),
        ("a.png,sad,nan,0,,", "annotation_unreadable", "valence of a is 'nan', not a number"),
        ("a.png,sad,0_5,0,,", "annotation_unreadable", "valence of a is '0_5', not a number"),
        ("a.png,sad,0,0,1 2 3,", "box_unreadable", "box of a is '1 2 3', not left, top, width and height"),
        ("a.png,sad,0,0,1 2 0 4,", "box_unreadable", "box of a is '1 2 0 4'"),
        ("a.png,sad,0,0,1 2 x 4,", "annotation_unreadable", "box of a is 'x', not a number"),
        ("x.png,sad,0,0,,", "no_image", "there is no file 'x.png'"),
        ("../a.png,sad,0,0,,", "no_image", "'../a.png' lies outside data.raw"),
        ("in/../../a.png,sad,0,0,,", "no_image", "lies outside data.raw"),
        ("/etc/a.png,sad,0,0,,", "no_image", "'/etc/a.png' lies outside data.raw"),
        (",sad,0,0,,named", "no_image", "there is no file ''"),
        (",sad,0,0,,", "no_id", "an id is empty"),
        ('"a\nb.png",sad,0,0,,', "name_unprintable", "'a\\nb' has characters that can't be printed"),
    ],
)
def test_a_faulty_row_drops_its_picture(tmp_path: Path, row: str, reason: str, detail: str) -> None:
    raw = tmp_path / "mine"
    write_table(raw, f"path,expression,valence,arousal,box,name\n{row}\n")
    for file in (raw / "a.png", tmp_path / "a.png"):
        save_picture(file)
    columns = ["id:name"] if row.endswith("named") else None
    ((found, told),) = find_reasons(raw, "table", columns=columns).values()
    assert found == reason
    assert detail in told


@pytest.mark.parametrize("box", ["[1, 2, 3.5, 4]", "1;2;3.5;4", "(1 2 3.5 4)", "1,2, 3.5 ,4"])
def test_a_box_is_four_numbers_however_they_are_divided(tmp_path: Path, box: str) -> None:
    write_table(tmp_path, f'path,expression,box\na.png,sad,"{box}"\n')
    assert read_all(tmp_path, "table")["a"].box == Box(1, 2, 3.5, 4)


def test_faces_of_one_picture_are_told_apart_by_an_id(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    wide = np.concatenate([draw_picture(seed) for seed in range(8)], axis=1)
    workspace.raw.mkdir(parents=True)
    Image.fromarray(wide).save(workspace.raw / "crowd.png")
    rows = "".join(f"face{place},crowd.png,happy,{64 * place} 0 64 64\n" for place in range(8))
    write_table(workspace.raw, f"id,path,expression,box\n{rows}")
    workspace.set_params(**{"data.layout": "table"})
    prepare_here(workspace, monkeypatch)
    records = read_records(workspace.folder / "data" / "prepared")
    assert sorted(records.index["id"]) == [f"face{place}" for place in range(8)]
    assert records.index["group"].tolist() == records.index["id"].tolist()
    for row, id in enumerate(records.index["id"]):
        np.testing.assert_array_equal(records.images[row], draw_picture(int(id[-1])))


def test_two_rows_of_one_id_are_dropped(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        save_picture(tmp_path / name)
    write_table(tmp_path, "path,expression\na.png,happy\na.png,sad\nb.png,sad\n")
    assert find_reasons(tmp_path, "table") == {
        "a.png": ("duplicate_id", "a.png is in several rows; a column id tells faces apart")
    }
    write_table(tmp_path, "id,path,expression\n1,a.png,happy\n1,b.png,sad\n")
    assert {id: reason for id, (reason, _) in find_reasons(tmp_path, "table").items()} == {"1": "duplicate_id"}


def test_pictures_of_one_name_in_two_folders_have_their_paths_for_ids(tmp_path: Path) -> None:
    write_table(tmp_path, "path,expression\nx/1.png,happy\ny/1.png,sad\n2.png,sad\n")
    assert set(read_all(tmp_path, "table")) == {"x/1.png", "y/1.png", "2"}


def test_a_byte_order_mark_quotes_and_commas_are_read_as_a_spreadsheet_writes_them(tmp_path: Path) -> None:
    text = '\ufeff"path", "expression","note, if any"\r\n"a, ""b"".png", happy ,"x, y"\r\n\r\nNA.png,sad,\r\n'
    write_table(tmp_path, text)
    picture = save_picture(tmp_path / 'a, "b".png')
    save_picture(tmp_path / "NA.png")
    opened, items = open_dataset(tmp_path, "table")
    assert {id: (opened.read_labels(item).expression, dict(item.columns)) for id, item in items.items()} == {
        'a, "b"': (1, {"note, if any": "x, y"}),
        "NA": (2, {"note, if any": ""}),
    }
    np.testing.assert_array_equal(opened.read_picture(items['a, "b"'], LIMITS), picture)


def test_a_column_without_a_name_as_pandas_writes_its_index_is_passed_over(tmp_path: Path) -> None:
    pd.DataFrame({"path": ["a.png"], "expression": ["sad"]}).to_csv(tmp_path / "labels.csv")
    _, items = open_dataset(tmp_path, "table")
    assert [dict(item.columns) for item in items.values()] == [{}]


@pytest.mark.parametrize(("listed", "stored"), [("NFC", "NFD"), ("NFD", "NFC"), ("NFD", "NFD")])
def test_a_picture_is_found_however_its_accents_are_stored(tmp_path: Path, listed: str, stored: str) -> None:
    picture = save_picture(tmp_path / f"{unicodedata.normalize(stored, 'Zoë')}.png")  # type: ignore[arg-type]
    write_table(tmp_path, f"path,expression\n{unicodedata.normalize(listed, 'Zoë')}.png,sad\n")  # type: ignore[arg-type]
    opened, items = open_dataset(tmp_path, "table")
    np.testing.assert_array_equal(opened.read_picture(items["Zo\u00eb"], LIMITS), picture)


@pytest.mark.parametrize(
    ("content", "named"),
    [
        (b"", "no table with the columns path and expression"),
        (b"path,expression\n", "has no rows"),
        (b"path,label\na.png,sad\n", r"\(labels\.csv has path, label\)\. -S 'data\.columns=\[path:NAME\]'"),
        (b"file,expression\na.png,sad\n", "labels.csv has file, expression"),
        (b"path;expression\na.png;sad\n", "labels.csv has path;expression"),
        ("path,expression\na.png,sad\n".encode("utf-16"), "labels.csv has no column that reads as UTF-8"),
        (b"path,expression\nZo\xeb.png,sad\n", "labels.csv: can't be read as a table .*utf-8"),
        (b'path,expression\n"a.png,sad\n', "labels.csv: can't be read as a table"),
        (b"path,expression\na.png,sad,x\nb.png,sad\n", "its rows have more values than the header has columns"),
        (b"path,expression\na.png,sad\nb.png,sad,x\n", "labels.csv: can't be read as a table .*line 3"),
        (b"path,expression,path\na.png,sad,b.png\n", "labels.csv: has the column 'path' twice"),
        (b"path,expression\na.png,joy\n", r"'joy' \(1 images\)"),
        (b"path,expression\na.png,3\n", r"'3' \(1 images\); what a number stands for differs between datasets"),
        (b"path,expression,split\na.png,sad,dev\n", "split is 'dev', but should be train, val or test"),
        (b"path,expression,split\na.png,sad,\n", "split is '', but should be train, val or test"),
    ],
)
def test_a_table_that_says_too_little_is_refused(tmp_path: Path, content: bytes, named: str) -> None:
    (tmp_path / "labels.csv").write_bytes(content)
    with pytest.raises(InputError, match=named) as refusal:
        open_dataset(tmp_path, "table")
    assert len(str(refusal.value).splitlines()) == 1


def test_numbers_beyond_the_map_are_refused(tmp_path: Path) -> None:
    write_table(tmp_path, "path,expression\na.png,1\nb.png,8\n")
    with pytest.raises(InputError, match=r"nor in data\.classes: '8' \(1 images\);"):
        open_dataset(tmp_path, "table", classes=["1:happy"])


def test_one_of_several_tables_is_named(tmp_path: Path) -> None:
    write_table(tmp_path, "path,expression\na.png,sad\n", "b.csv")
    write_table(tmp_path, "path,expression\na.png,happy\n", "a.CSV")
    write_table(tmp_path, "id,age\na,3\n", "attributes.csv")
    with pytest.raises(InputError, match=r"has a\.CSV, b\.csv; name one with -S data\.table=a\.CSV"):
        open_dataset(tmp_path, "table")
    assert read_all(tmp_path, "table", table="b.csv")["a"].expression == 2
    with pytest.raises(InputError, match=r"data\.table: .* has no c\.csv, but a\.CSV, attributes\.csv, b\.csv"):
        open_dataset(tmp_path, "table", table="c.csv")


def test_a_map_of_a_column_that_is_not_there_is_refused(tmp_path: Path) -> None:
    write_table(tmp_path, "path,expression\na.png,sad\n")
    with pytest.raises(InputError, match=r"data\.columns: valence is to be 'v', but the table has path, expression"):
        open_dataset(tmp_path, "table", columns=["valence:v"])


def test_a_folder_without_a_table_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no table with the columns path and expression \(it has no CSV\)"):
        open_dataset(tmp_path, "table")


def test_the_layout_is_known_by_its_columns(tmp_path: Path) -> None:
    write_table(tmp_path, "file,expression\na.png,sad\n")
    assert find_layouts(tmp_path) == []
    write_table(tmp_path, "expression,path\nsad,a.png\n", "b.csv")
    assert find_layouts(tmp_path) == ["table"]
