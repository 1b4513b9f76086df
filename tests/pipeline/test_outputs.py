"""Whatever lies where a script writes, it stays as it is, and the script says so in a line before it begins."""

import importlib
from pathlib import Path

import pytest
from conftest import Workspace, refuse, snapshot
from occupied import OTHERS

from affect.core.records import IMAGES_FILE, INDEX_FILE, create_images, write_card

BACKBONE = "mobilenetv3large"
FILES = {
    "prepare": ["metrics/prepare.json", "metrics/split.csv", "metrics/dropped.csv"],
    "augment": ["metrics/plots/augmented.png"],
    "train": [
        f"models/{BACKBONE}.keras",
        "metrics/timing/any.json",
        *(f"metrics/train/{BACKBONE}/{name}" for name in ("metrics.json", "curves.csv", "last_epoch.json")),
        f"data/cache/{BACKBONE}.checkpoint.npz",
    ],
    "evaluate": [
        *("metrics/evaluate.json", "metrics/report.md", "metrics/report.html"),
        *("metrics/plots/roc.csv", "metrics/plots/reliability.csv"),
    ],
    "report": ["metrics/full_report.html"],
    "external_prepare": ["metrics/external/web/prepare.json", "metrics/external/web/dropped.csv"],
    "external_evaluate": [f"metrics/external/web/{name}" for name in ("results.json", "report.html", "copies.csv")],
    "pretrain": [f"data/weights/{BACKBONE}/backbone.weights.h5", f"data/weights/{BACKBONE}/card.json"],
}
ARGUMENTS = {
    **dict.fromkeys(("train", "pretrain"), BACKBONE),
    **dict.fromkeys(("external_prepare", "external_evaluate"), "web"),
}
FOLDERS = {"sample": "data/sample", "prepare": "data/prepared", "augment": "data/augmented"}
FOLDERS["external_prepare"] = "data/external/web"


def run(workspace: Workspace, script: str) -> str:
    """Run a script in vain; returns its line, once all that was there before has been found again."""
    if script == "pretrain":
        workspace.add_pretrain_params()
    if script.startswith("external"):
        workspace.add_external_datasets(web={"raw": "data/faces"})
    before = snapshot(workspace.folder)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr("sys.argv", [f"{script}.py", *([ARGUMENTS[script]] if script in ARGUMENTS else [])])
        monkeypatch.setattr("affect.data.layouts.affectnet._list_names", lambda _: ["1.jpg"])
        monkeypatch.setattr("affect.models.backend.set_up", lambda *_: pytest.fail("the work begins"))
        line = refuse(workspace, monkeypatch, importlib.import_module(script).main)
    after = snapshot(workspace.folder)
    assert {name: content for name, content in after.items() if name in before} == before
    made = [name for name, content in after.items() if name not in before and content != "folder"]
    assert all(name.endswith(".lock") for name in made)
    return line


@pytest.mark.parametrize("kind", ["folder", "empty folder", "link to a folder", "link to a file", "named pipe"])
@pytest.mark.parametrize(("script", "output"), [(script, file) for script, files in FILES.items() for file in files])
def test_a_file_replaces_nothing_but_a_file(workspace: Workspace, script: str, output: str, kind: str) -> None:
    workspace.set_params(backbones=[BACKBONE])
    workspace.raw.mkdir(parents=True)
    place = workspace.folder / output
    place.parent.mkdir(parents=True, exist_ok=True)
    OTHERS[kind](place)
    line = run(workspace, script)
    assert line.startswith(f"{script}: {output} is a ")
    assert "it is left as it is: move it away" in line


@pytest.mark.parametrize("kind", ["folder", "link to a folder", "named pipe"])
@pytest.mark.parametrize("script", FOLDERS)
def test_a_folder_replaces_nothing(workspace: Workspace, script: str, kind: str) -> None:
    # augment reads its records before it writes.
    if script == "augment":
        make_records(workspace)
    workspace.raw.mkdir(parents=True)
    place = workspace.folder / FOLDERS[script]
    place.parent.mkdir(parents=True, exist_ok=True)
    OTHERS[kind](place)
    line = run(workspace, script)
    assert line.startswith(f"{script}: {FOLDERS[script]} ")
    assert "left as it is" in line


def make_records(workspace: Workspace) -> None:
    folder = workspace.folder / "data" / "prepared"
    folder.mkdir(parents=True)
    create_images(folder / IMAGES_FILE, 1, 64)
    (folder / INDEX_FILE).write_text("id,split,expression,valence,arousal,group\na,train,0,0,0,a\n")
    write_card(folder, "data/faces", "affectnet", "none", 1)


OWN = [
    ("train", f"metrics/train/{BACKBONE}/plots/metrics/val/loss.tsv"),
    ("evaluate", f"metrics/predictions/{BACKBONE}.csv"),
    ("evaluate", f"metrics/plots/worst_errors/{BACKBONE}.png"),
    ("external_evaluate", f"metrics/external/web/predictions/{BACKBONE}.csv"),
]
FOREIGN = [
    ("train", f"metrics/train/{BACKBONE}/plots"),
    ("train", f"metrics/train/{BACKBONE}/plots/metrics/val/notes.tsv"),
    ("pretrain", f"metrics/pretrain/{BACKBONE}/plots"),
    ("pretrain", f"metrics/pretrain/{BACKBONE}/plots/metrics/notes.tsv"),
    ("evaluate", "metrics/predictions"),
    ("evaluate", "metrics/predictions/mine.csv"),
    ("external_evaluate", "metrics/external/web/predictions/mine.csv"),
]
KINDS = ["folder", "link to a folder", "named pipe"]


@pytest.mark.parametrize(
    ("script", "output", "kind"),
    [(*place, kind) for place in OWN for kind in KINDS]
    + [(*place, kind) for place in FOREIGN for kind in ["file", *KINDS]],
)
def test_a_folder_is_replaced_by_the_names_of_its_files(
    workspace: Workspace, script: str, output: str, kind: str
) -> None:
    workspace.set_params(backbones=[BACKBONE])
    place = workspace.folder / output
    place.parent.mkdir(parents=True)
    (OTHERS | {"file": lambda path: path.write_text("years of work")})[kind](place)
    assert "left as it is" in run(workspace, script)


def test_a_folder_that_cannot_be_made_is_named(workspace: Workspace) -> None:
    Path(workspace.folder / "metrics").write_text("a file of the user's")
    workspace.raw.mkdir(parents=True)
    assert run(workspace, "prepare").startswith("prepare: metrics/prepare.json: Not a directory")
