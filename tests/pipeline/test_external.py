"""Another dataset is prepared as the models take it, and what is wrong with it is named.

In test_pipeline the models are tested on one.
"""

import json
import re
import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from conftest import Workspace, draw_picture, refuse, write_face

import external_prepare
import prepare
from affect.core.records import read_card, read_records
from affect.plumbing.stage import run_stage


@pytest.fixture(autouse=True)
def _in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker processes would stay in the folder of the first test."""
    monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")


def write_class_folders(folder: Path, classes: tuple[str, ...], each: int = 3) -> None:
    for name in classes:
        (folder / name).mkdir(parents=True)
        for number in range(each):
            cv2.imwrite(str(folder / name / f"{name}{number}.jpg"), draw_picture(f"{name}{number}"))


def run(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(workspace.folder)
    monkeypatch.setattr("sys.argv", ["external_prepare.py", "web"])
    run_stage(external_prepare.main)
    return workspace.folder / "data" / "external" / "web"


def test_all_usable_pictures_are_prepared_as_prepare_does(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.set_params(**{"data.image_size": 32})
    for number in range(24):
        write_face(workspace.raw, number, number % 8, 0.25, -0.5)
    workspace.add_external_datasets(web={"raw": "data/faces"})
    place = run(workspace, monkeypatch)
    monkeypatch.setattr("sys.argv", ["prepare.py"])
    run_stage(prepare.main)
    ours, theirs = (read_records(folder) for folder in (place, workspace.folder / "data" / "prepared"))
    order = [theirs.index["id"].tolist().index(id) for id in ours.index["id"]]
    np.testing.assert_array_equal(ours.images[:], theirs.images[order])
    labels = ["id", "expression", "valence", "arousal"]
    pd.testing.assert_frame_equal(ours.index[labels], theirs.index.iloc[order][labels].reset_index(drop=True))
    assert "split" not in ours.index
    assert read_card(place).dataset == "data/faces"


def test_what_is_dropped_is_listed_and_what_is_used_is_counted(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_class_folders(workspace.raw, ("happy", "anger", "bored"))
    (workspace.raw / "happy" / "torn.jpg").write_text("no picture")
    shutil.copy(workspace.raw / "happy" / "happy0.jpg", workspace.raw / "anger" / "same.jpg")
    workspace.add_external_datasets(
        web={"raw": "data/faces", "layout": "folders", "classes": ["bored:null"], "max_dropped": 0.2}
    )
    place = run(workspace, monkeypatch)
    metrics = workspace.folder / "metrics" / "external" / "web"
    summary = json.loads((metrics / "prepare.json").read_text())
    assert (summary["found"], summary["used"]) == (11, 7)
    assert summary["dropped"] == {"total": 4, "class_left_out": 3, "image_unreadable": 1}
    assert summary["duplicates"]["groups_of_several_expressions"] == 1
    assert set(pd.read_csv(metrics / "dropped.csv", dtype=str)["id"]) == {"bored0", "bored1", "bored2", "torn"}
    assert sorted(read_records(place).index["expression"]) == [1, 1, 1, 6, 6, 6, 6]
    assert capsys.readouterr().out.endswith("web: 11 found, 4 dropped, 7 used\n")


def test_a_sample_is_stratified_and_the_same_again(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    write_class_folders(workspace.raw, ("happy", "anger"), each=10)
    workspace.add_external_datasets(web={"raw": "data/faces", "layout": "folders", "sample_size": 6})
    place = run(workspace, monkeypatch)
    drawn = read_records(place).index
    assert drawn["expression"].value_counts().to_dict() == {1: 3, 6: 3}
    card = read_card(place)
    shutil.rmtree(place)
    assert read_card(run(workspace, monkeypatch)) == card


@pytest.mark.parametrize(
    ("classes", "entry", "message"),
    [
        (("happy", "grumpy"), {}, r"has classes that are none of .*'grumpy'"),
        (("happy", "grumpy"), {}, r"-S 'pipelines/external/params\.yaml:\+\+datasets\.web\.classes=\[grumpy:happy\]'"),
        (("happy",), {"classes": ["happy:null"]}, "none of the images in data/faces has one of the eight expressions"),
        (("happy",), {"sample_size": 4}, "sample_size is 4, but only 3 images are usable"),
        (
            ("happy",),
            {"align": "eyes"},
            "data.align: the layout folders does not read it, but",
        ),
        (("happy",), {"min_side": 100}, "3 of 3 images are faulty"),
    ],
)
def test_a_fault_names_the_dataset(
    workspace: Workspace,
    monkeypatch: pytest.MonkeyPatch,
    classes: tuple[str, ...],
    entry: dict[str, object],
    message: str,
) -> None:
    write_class_folders(workspace.raw, classes)
    workspace.add_external_datasets(web={"raw": "data/faces", "layout": "folders"} | entry)
    monkeypatch.setattr("sys.argv", ["external_prepare.py", "web"])
    line = refuse(workspace, monkeypatch, external_prepare.main)
    assert line.startswith("external_prepare: dataset web of pipelines/external/params.yaml: ")
    assert re.search(message, line), line
    assert not (workspace.folder / "data" / "external" / "web").exists()


def test_a_name_that_is_not_there_is_refused(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    workspace.add_external_datasets(lab={"raw": "data/lab"})
    monkeypatch.setattr("sys.argv", ["external_prepare.py", "web"])
    line = refuse(workspace, monkeypatch, external_prepare.main)
    assert line == (
        "external_prepare: pipelines/external/params.yaml: datasets has no 'web', but lab (docs/external.md)"
    )
