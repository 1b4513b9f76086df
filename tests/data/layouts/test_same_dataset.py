"""The same pictures in three layouts are the same dataset, and what lies beside them is joined by id."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import Workspace, write_face
from opening import list_items, open_dataset, save_picture

from affect.core.labels import EXPRESSIONS
from affect.core.records import read_records
from affect.data.attributes import choose_attributes, tabulate
from affect.plumbing.errors import InputError

FACES = 32
PREPARED = ("data/prepared/images.npy", "data/prepared/index.csv", "metrics/split.csv", "metrics/prepare.json")


def test_the_same_bytes_are_prepared_from_three_layouts(tmp_path: Path) -> None:
    affectnet, folders = tmp_path / "affectnet", tmp_path / "folders"
    for id in range(FACES):
        # Without valence and arousal, which class folders have not.
        write_face(affectnet, f"é {id}", id % 8, None, None)
        place = folders / "train" / EXPRESSIONS[id % 8]
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(affectnet / "images" / f"é {id}.jpg", place)
    table = tmp_path / "table"
    shutil.copytree(affectnet / "images", table / "in")
    rows = [{"path": f"in/é {id}.jpg", "expression": EXPRESSIONS[id % 8].upper()} for id in range(FACES)]
    pd.DataFrame(rows).to_csv(table / "labels.csv", index=False)
    prepared = []
    for layout in ("affectnet", "folders", "table"):
        folder = tmp_path / f"from {layout}"
        folder.mkdir()
        workspace = Workspace.create(folder)
        raw = str(tmp_path / layout)
        workspace.set_params(**{"data.raw": raw, "data.layout": layout, "data.official_split": False})
        result = workspace.run_script("prepare")
        assert (result.returncode, result.stderr) == (0, "")
        prepared.append([(folder / name).read_bytes() for name in PREPARED])
    assert prepared[0] == prepared[1] == prepared[2]
    assert len(read_records(tmp_path / "from table" / "data" / "prepared").index) == FACES


def write_beside(raw: Path, text: str) -> None:
    for name in ("happy/a", "sad/b"):
        save_picture(raw / f"{name}.png", name)
    (raw / "attributes.csv").write_text(text)


def test_attributes_are_joined_by_id(tmp_path: Path) -> None:
    write_beside(tmp_path, "id,person,age\nb, ann ,7\nelsewhere,bob,8\n")
    _, items = open_dataset(tmp_path, "folders")
    assert {id: dict(item.columns) for id, item in items.items()} == {"a": {}, "b": {"person": "ann", "age": "7"}}
    table = tabulate(list(items.values()))
    assert table.to_dict("list") == {"person": ["", "ann"], "attribute.age": ["", "7"]}


def test_what_the_dataset_says_itself_comes_before_what_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / "labels.csv").write_text("path,expression,age\na.png,happy,1\n")
    (tmp_path / "attributes.csv").write_text("id,age,person\na,2,ann\n")
    _, items = open_dataset(tmp_path, "table")
    assert dict(items["a"].columns) == {"age": "1", "person": "ann"}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("name,age\na,1\n", r"attributes\.csv: has the columns name, age, but needs id"),
        ("id,age\na,1\na,2\n", r"attributes\.csv: has the id 'a' twice"),
        ("id,age\nA,1\n", r"attributes\.csv: has no id of the dataset, such as 'a', but 'A'"),
    ],
)
def test_attributes_of_nothing_are_refused(tmp_path: Path, text: str, named: str) -> None:
    write_beside(tmp_path, text)
    with pytest.raises(InputError, match=named):
        list_items(tmp_path, "folders")


def test_an_id_without_a_picture_is_dropped_and_not_refused_for_its_person(tmp_path: Path) -> None:
    write_face(tmp_path, "a", 0)
    write_face(tmp_path, "b", 0)
    (tmp_path / "images" / "b.jpg").unlink()
    _, items = open_dataset(tmp_path, "affectnet", person=-1)
    assert {id: item.columns["person"] for id, item in items.items()} == {"a": "images", "b": ""}


def test_columns_of_few_values_or_of_numbers_are_attributes() -> None:
    rows = np.arange(40)
    columns = pd.DataFrame(
        {
            "person": [f"p{row}" for row in rows],
            "attribute.age": [str(row / 2) for row in rows],
            "attribute.tone": [f"tone {row % 12}" for row in rows],
            "attribute.note": [f"note {row}" for row in rows],
            "attribute.source": ["web"] * 40,
            "attribute.sparse": [*[""] * 38, "yes", "no"],
        }
    )
    assert choose_attributes(columns) == ["attribute.age", "attribute.tone", "attribute.sparse"]
