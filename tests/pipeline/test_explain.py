"""explain.py as a stranger uses it: a picture, arrays and a row of each face, and nothing of theirs is gone."""

from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import draw_picture, run_in_process, snapshot
from explained import NAME, SIZE, build_network
from moving import write_video
from PIL import Image

import explain
from affect.core.labels import EXPRESSIONS
from affect.explanation.pictures.overlays import AGAINST, FOR, overlay
from affect.explanation.pictures.panels import _say_outputs
from affect.explanation.regions.division import REGIONS
from affect.explanation.study import single_faces
from affect.explanation.study.means import average
from affect.models.saved_model import save_model
from affect.synthetic.faces import render_face

MODEL = f"{NAME}.keras"
run = partial(run_in_process, explain)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model, three faces, two of which have one name, and a picture without a face."""
    folder = tmp_path_factory.mktemp("explain")
    save_model(build_network(), folder / MODEL)
    for id, name in enumerate(("a.png", "b c.jpg", "more/a.png")):
        (folder / "faces" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(render_face(24, id, id, 160).image).save(folder / "faces" / name)
    Image.fromarray(draw_picture(1)).save(folder / "wall.png")
    return folder


def test_each_face_has_a_picture_arrays_and_a_row(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(MODEL, "faces", "-o", "out") is None
    said = capsys.readouterr().out
    assert said.startswith("explain: 3 faces in out\n  greying a fifth takes away ")
    assert max(map(len, said.splitlines())) <= 120
    table = pd.read_csv("out/faces.csv")
    assert table["source"].tolist() == ["faces/a.png", "faces/b c.jpg", "faces/more/a.png"]
    assert len(set(table["name"])) == 3
    assert set(snapshot(folder / "out")) == {
        "faces.csv",
        *(f"{n}.{end}" for n in table["name"] for end in ("png", "npz")),
    }
    np.testing.assert_allclose(table[list(REGIONS)].sum(axis=1), 1, atol=1e-5)
    assert (table["explained_expression"] == table["predicted_expression"]).all()
    for name in table["name"]:
        with np.load(folder / "out" / f"{name}.npz") as arrays:
            assert set(arrays) == {"image", "emotion", "valence", "arousal"}
            assert arrays["image"].shape == (SIZE, SIZE, 3)
            assert arrays["emotion"].shape == (SIZE // 4, SIZE // 4)
        assert Image.open(folder / "out" / f"{name}.png").width > 4 * 288


def test_a_second_run_has_the_same_bytes_and_a_named_expression_other_maps(folder: Path) -> None:
    for name in ("first", "second"):
        assert run(MODEL, "faces", "-o", name) is None
    assert snapshot(folder / "first") == snapshot(folder / "second")
    assert run(MODEL, "faces", "-o", "fear", "--expression", "fear", "--method", "gradcam") is None
    table = pd.read_csv("fear/faces.csv")
    assert set(table["explained_expression"]) == {"fear"}
    assert set(table["predicted_expression"]) <= set(EXPRESSIONS)


def test_of_a_named_expression_it_is_said_how_many_times_less_likely_it_gets(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(MODEL, "faces/a.png", "-o", "predicted") is None
    predicted = pd.read_csv("predicted/faces.csv").iloc[0]
    assert run(MODEL, "faces/a.png", "-o", "named", "--expression", predicted["predicted_expression"]) is None
    named = pd.read_csv("named/faces.csv").iloc[0]
    said = capsys.readouterr().out
    assert "of the expression" in said
    assert "of log probability" in said
    whole = predicted["probability"]
    grey = whole - predicted["emotion_marked"]
    assert named["emotion_marked"] == pytest.approx(np.log(whole / grey), abs=1e-3)
    assert named["valence_marked"] == predicted["valence_marked"]
    assert _say_outputs(named, "emotion", True)[1] == f"marked fifth grey: {grey:.2g}"
    assert _say_outputs(predicted, "emotion", False)[1] == f"marked fifth grey: {grey:.2f}"


@pytest.mark.parametrize("names", [["7"], ["1", "007"], ["NA", "1e5"]])
def test_a_name_that_looks_like_a_number_is_a_name(folder: Path, names: list[str]) -> None:
    for name in names:
        Image.open(folder / "faces" / "a.png").save(folder / f"{name}.png")
    assert run(MODEL, *(f"{name}.png" for name in names), "-o", "out") is None
    found = single_faces.read_faces_table(folder / "out" / "faces.csv")
    assert found["id"].tolist() == names


def is_coloured(panel: Path, place: int) -> bool:
    """Whether a tile of a panel has colours; where no map is drawn the face is grey."""
    tile = np.asarray(Image.open(panel).convert("RGB")).astype(int)[40:300, place * 296 + 12 : (place + 1) * 296 - 12]
    return bool((np.ptp(tile, axis=2) > 8).any())


def blind_to(task: str, folder: Path) -> str:
    """Save a network one of whose outputs is always the same."""
    model = build_network()
    head = model.get_layer(task)
    head.set_weights([0 * values for values in head.get_weights()])
    save_model(model, folder / "blind.keras")
    return "blind.keras"


def test_a_map_no_better_than_chance_is_not_drawn(folder: Path) -> None:
    assert run(blind_to("valence", folder), "faces", "-o", "out") is None
    table = pd.read_csv("out/faces.csv")
    coloured = set()
    for _, row in table.iterrows():
        for place, task in enumerate(("emotion", "valence", "arousal"), 1):
            found = is_coloured(folder / "out" / f"{row['name']}.png", place)
            assert found == (row[f"{task}_marked"] > max(row[f"{task}_random"], 0))
            coloured.add((task, found))
    assert ("valence", True) not in coloured
    assert ("emotion", True) in coloured


def test_maps_that_are_no_better_than_chance_over_all_faces_are_drawn_of_none(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single_faces, "MIN_FACES", 3)

    def doubt(columns: dict, resamples: int, seed: int) -> dict:
        return average(columns, resamples, seed) | {"intervals": {"gain": [-1, 1]}}

    monkeypatch.setattr(single_faces, "average", doubt)
    assert run(MODEL, "faces", "-o", "out") is None
    said = capsys.readouterr().out.splitlines()
    assert sum(line.endswith(": no better than chance, not shown") for line in said) == 3
    for name in pd.read_csv("out/faces.csv")["name"]:
        assert not any(is_coloured(folder / "out" / f"{name}.png", place) for place in (1, 2, 3))


def test_pictures_without_a_face_are_said_and_taken_whole_where_that_is_asked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        run(MODEL, "wall.png", "-o", "out")
        == "explain: no face was found in them; --cropped takes pictures as they are"
    )
    assert not (folder / "out").exists()
    assert "wall.png: no face" in capsys.readouterr().err
    assert run(MODEL, "wall.png", "-o", "out", "--cropped") is None
    table = pd.read_csv("out/faces.csv")
    # Without landmarks nobody knows what is where.
    assert table[list(REGIONS)].isna().all(axis=None)


def test_what_cannot_be_explained_is_named_and_the_rest_done(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_video(folder / "film.mp4", iter([np.zeros((64, 64, 3), np.uint8)] * 3))
    (folder / "broken.jpg").write_bytes(b"none")
    stopped = run(MODEL, "faces/a.png", "film.mp4", "broken.jpg", "gone.png", "-o", "out")
    assert stopped == "explain: 3 of 4 inputs could not be explained, as said above"
    said = capsys.readouterr().err
    for line in ("film.mp4: a video; explain single frames of it", "broken.jpg: skipped", "gone.png: no such file"):
        assert line in said
    assert len(pd.read_csv("out/faces.csv")) == 1


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["gone.keras", "faces"], "gone.keras: no such model"),
        (["faces/a.png", "faces"], "a.png: not a model; explain a .keras file, as train writes them"),
        (["face.onnx", "faces"], "face.onnx: exported files have no gradients; explain a .keras file"),
        (["faces", "faces"], "faces: not a model; explain a .keras file"),
        (["notes.txt", "faces"], "notes.txt: not a model; explain a .keras file"),
        ([MODEL, "faces", "-o", "notes.txt/out"], "notes.txt is a file, so that notes.txt/out can't lie in it"),
        ([MODEL, "gone"], "gone: no such file or folder"),
        ([MODEL, "faces", "--layer", "nowhere"], "can't be explained at 'nowhere': it has no such layer"),
        ([MODEL, "faces/a.png", "."], "-o out lies in ., with which it would be read too; name a folder elsewhere"),
        ([MODEL, MODEL, "--cropped"], "none of them can be read, as said above"),
    ],
)
def test_bad_arguments_are_one_line_and_leave_nothing(folder: Path, arguments: list[str], reason: str) -> None:
    (folder / "notes.txt").write_text("no model")
    before = snapshot(folder)
    stopped = run(*(["-o", "out"] if "-o" not in arguments else []), *arguments)
    assert stopped is not None
    assert reason in stopped
    assert snapshot(folder) == before


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_is_there_already_stays(folder: Path, kind: str) -> None:
    if kind == "file":
        (folder / "out").write_text("mine")
    elif kind == "folder":
        (folder / "out").mkdir()
    else:
        (folder / "out").symlink_to("nowhere")
    before = snapshot(folder)
    stopped = run(MODEL, "faces", "-o", "out")
    assert stopped is not None
    assert "is there already, and is left as it is" in stopped
    assert snapshot(folder) == before


def test_colours_say_for_and_against() -> None:
    image = np.full((4, 4, 3), 128, np.uint8)
    found = np.zeros((4, 4))
    found[0, 0], found[3, 3] = 2, -2
    both, positive = overlay(image, found, signed=True).astype(int), overlay(image, found, signed=False).astype(int)
    for drawn, place, colour in ((both, (0, 0), FOR), (both, (3, 3), AGAINST), (positive, (0, 0), FOR)):
        assert np.abs(drawn[place] - colour).max() < np.abs(drawn[1, 1] - colour).max()
    assert (positive[3, 3] == positive[1, 1]).all()
    assert np.ptp(both[1, 1]) <= 1
