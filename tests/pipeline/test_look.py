"""look.py: what it says of a folder is what `prepare` then finds, and the command that it prints is one that works."""

import re
import shlex
from pathlib import Path

import pandas as pd
import pytest
from conftest import Workspace, draw_picture, snapshot, write_face
from dvc.utils.hydra import apply_overrides
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image
from ruamel.yaml import YAML

import look
from affect.core.labels import EXPRESSIONS
from affect.plumbing.params import load_params
from affect.plumbing.stage import run_command

CLASSES = dict(
    zip(EXPRESSIONS, ("Neutral", "Happiness", "sad", "surprise", "fear", "disgust", "Angry", "contempt"), strict=True)
)
PICTURES = 3


@pytest.fixture
def mine(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace with three pictures of each expression in class folders, data/mine."""
    for name in CLASSES.values():
        folder = workspace.folder / "data" / "mine" / name
        folder.mkdir(parents=True)
        for number in range(PICTURES):
            Image.fromarray(draw_picture(f"{name}{number}")).save(folder / f"{name}_{number}.png")
    monkeypatch.chdir(workspace.folder)
    return workspace


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run the command in this process; returns what it prints, or the line that it stops with."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("sys.argv", ["look.py", *arguments])
        try:
            run_command(look.main)
        except SystemExit as stopped:
            if isinstance(stopped.code, str):
                return stopped.code
    return capsys.readouterr().out


def apply_printed_command(printed: str, folder: Path) -> None:
    """Change params.yaml as the printed `dvc exp run` would."""
    (command,) = re.findall(r"dvc exp run (.*)", printed)
    words = shlex.split(command)
    assert words[::2] == ["-S"] * (len(words) // 2)
    apply_overrides(folder / "params.yaml", words[1::2])


def test_what_it_says_of_class_folders_is_what_prepare_finds(
    mine: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    before = snapshot(mine.folder)
    printed = run(capsys, "data/mine")
    assert snapshot(mine.folder) == before
    assert "data/mine: 24 pictures in the layout folders, 24 with usable labels" in printed
    assert re.search(r"^all( +3){8}$", printed, re.MULTILINE)
    assert "dvc add data/mine" in printed
    assert max(map(len, printed.splitlines())) <= 120
    apply_printed_command(printed, mine.folder)
    assert mine.run_script("prepare").returncode == 0
    assert mine.read_metrics("prepare")["used"] == 24


def test_a_table_of_other_columns_is_named_and_then_read(mine: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    raw = mine.folder / "data" / "mine"
    rows = [
        {"file name": f"{name}/{name}_{number}.png", "feeling": name, "who": f"p{number}", "age": 20 + number}
        for name in CLASSES.values()
        for number in range(PICTURES)
    ]
    pd.DataFrame(rows).to_csv(raw / "faces.csv", index=False)
    for name in CLASSES.values():
        (raw / name).rename(raw / f"of {name}")
    table = pd.read_csv(raw / "faces.csv")
    table["file name"] = "of " + table["file name"]
    table.to_csv(raw / "faces.csv", index=False)
    printed = run(capsys, "data/mine")
    assert "fits no layout" in printed
    assert "columns of faces.csv: file name, feeling, who, age" in printed
    columns = "data.columns=[path:file name,expression:feeling,person:who]"
    printed = run(capsys, "data/mine", "-S", "data.layout=table", "-S", columns)
    assert "3 on 24 pictures, at most 8 each" in printed
    assert "further columns age (3 values)" in printed
    apply_printed_command(printed, mine.folder)
    data = load_params(mine.folder / "params.yaml").data
    assert data.column_map == {"path": "file name", "expression": "feeling", "person": "who"}


def test_two_layouts_that_fit_are_both_named_and_none_is_chosen(
    mine: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    write_face(mine.folder / "data" / "mine", 1, 0)
    printed = run(capsys, "data/mine")
    assert "fits 2 layouts" in printed
    assert "pictures in the layout" not in printed
    for layout in ("affectnet", "folders"):
        assert f"python src/look.py data/mine -S data.layout={layout}" in printed
    assert "1 pictures in the layout affectnet" in run(capsys, "data/mine", "-S", "data.layout=affectnet")


def test_faults_are_shown_before_anything_is_prepared(mine: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    (mine.folder / "data" / "mine" / "sad" / "sad_1.png").write_bytes(b"no picture")
    (mine.folder / "data" / "mine" / "sad" / "scan.tiff").write_bytes(b"sad")
    printed = run(capsys, "data/mine")
    assert "no_image: 1, such as scan" in printed
    assert "image_unreadable: 1, such as sad_1" in printed
    assert "stop the run" in printed


def test_settings_of_another_dataset_are_not_taken_for_this_one(
    mine: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    mine.set_params(**{"data.classes": ["sad:null"], "data.person": 1})
    printed = run(capsys, "data/mine")
    assert "24 with usable labels" in printed
    assert "-S data.classes=null" in printed
    assert "-S data.person=null" in printed


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("data/none",), "data/none is not a folder"),
        (("params.yaml",), "params.yaml is not a folder"),
        (("data/mine", "-S", "data.layout=albums"), "data.layout is 'albums', but should be"),
        (("data/mine", "-S", "data.labels=x"), "data.labels"),
        (("data/mine", "-S", "data.classes=[sad:blue]"), "'sad:blue' should be NAME:EXPRESSION"),
        (
            ("data/mine", "-S", "data.align=eyes"),
            "data.align: the layout folders does not read it, but",
        ),
        (("data/mine", "-S", "data.person=3"), "has no folder of level 3"),
        (("data/mine", "-S", "data.person='x(.)'"), "finds no person in the id"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(
    mine: Workspace, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], named: str
) -> None:
    line = run(capsys, *arguments)
    assert line.startswith("look: ")
    assert "\n" not in line
    assert named in line


def test_a_folder_elsewhere_is_copied_first(mine: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    elsewhere = mine.folder.parent / f"{mine.folder.name} elsewhere"
    (mine.folder / "data" / "mine").rename(elsewhere)
    printed = run(capsys, str(elsewhere))
    assert f"cp -r '{elsewhere}' 'data/{elsewhere.name}'" in printed
    assert f"'data.raw=data/{elsewhere.name}'" in printed


VALUES = st.one_of(
    st.none(),
    st.integers(-3, 9),
    st.booleans(),
    st.text(
        st.characters(codec="ascii", categories=("L", "N", "P", "S"), include_characters=" "), min_size=1, max_size=12
    ),
)


@settings(deadline=None)
@given(st.one_of(VALUES, st.lists(VALUES.filter(lambda value: isinstance(value, str)), max_size=3)))
@example("${data.raw}")
@example("a\\${")
def test_a_value_is_written_as_dvc_reads_it(tmp_path_factory: pytest.TempPathFactory, value: object) -> None:
    params = tmp_path_factory.mktemp("written") / "params.yaml"
    params.write_text("value: 0\n")
    apply_overrides(params, shlex.split(shlex.quote(f"value={look.write(value)}")))
    assert YAML(typ="safe", pure=True).load(params)["value"] == value


def test_a_dataset_from_elsewhere_gets_a_place_that_is_free(
    mine: Workspace, capsys: pytest.CaptureFixture[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for name, place in {"mine": "mine-2", "prepared": "prepared-2", "external": "external-2", "other": "other"}.items():
        (mine.raw.parent / "mine").rename(elsewhere / name)
        (mine.raw.parent / "mine").mkdir()
        printed = run(capsys, str(elsewhere / name))
        assert f"cp -r {elsewhere / name} data/{place}\n" in printed
        assert f"dvc add data/{place}\n" in printed
        assert f"-S data.raw=data/{place}" in printed
        (mine.raw.parent / "mine").rmdir()
        (elsewhere / name).rename(mine.raw.parent / "mine")


@pytest.mark.parametrize("name", ["O'Brien's faces", "my sets/ck"])
def test_printed_commands_hold_for_odd_names(mine: Workspace, capsys: pytest.CaptureFixture[str], name: str) -> None:
    place = mine.raw.parent / name
    place.parent.mkdir(exist_ok=True)
    (mine.raw.parent / "mine").rename(place)
    printed = run(capsys, str(place))
    words = [shlex.split(line) for line in printed.partition("Run it:\n")[2].splitlines()]
    assert words[0] == ["dvc", "add", f"data/{name}"]
    assert words[1][:4] == ["git", "add", f"data/{name}.dvc", str(Path("data", name).parent / ".gitignore")]
    assert words[1][-1] == f"Track {place.name}"
    apply_printed_command(printed, mine.folder)
    assert load_params(mine.folder / "params.yaml").data.raw == f"data/{name}"


def test_a_folder_within_a_tracked_one_is_not_tracked_again(
    mine: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    (mine.raw.parent / "all").mkdir()
    (mine.raw.parent / "mine").rename(mine.raw.parent / "all" / "mine")
    (mine.raw.parent / "all.dvc").touch()
    assert "dvc add" not in run(capsys, "data/all/mine")


def test_what_the_last_run_said_of_its_dataset_is_not_said_of_another(
    mine: Workspace, capsys: pytest.CaptureFixture[str]
) -> None:
    apply_overrides(mine.folder / "params.yaml", ["data.align=eyes", "data.folds=3", "data.fold=2"])
    printed = run(capsys, "data/mine")
    assert "24 pictures in the layout folders" in printed
    apply_printed_command(printed, mine.folder)
    data = load_params(mine.folder / "params.yaml").data
    assert (data.align, data.folds, data.fold) == ("none", None, 1)


def test_a_parameter_of_another_section_is_refused(mine: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "data/mine", "-S", "train.epochs=1").startswith("look: -S train.epochs=1: not a parameter of")
