"""predict.py on videos: faces keep their numbers, whatever ends a run, and what was seen can be looked at."""

import re
import shutil
from functools import partial
from pathlib import Path

import av
import numpy as np
import pandas as pd
import pytest
from conftest import KilledError, run_in_process, snapshot
from moving import HEIGHT, SIDE, WIDTH, draw_people, place, write_video
from PIL import Image
from tiny_network import save_network

import predict
from affect.inference.tables import RowFile
from affect.synthetic.faces import render_face

run = partial(run_in_process, predict, "model.keras")
FRAMES = 40
# Both people are gone for a moment.
HIDDEN = range(20, 24)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny network, a video of two people and two pictures."""
    folder = tmp_path_factory.mktemp("predict")
    save_network(folder / "model.keras")
    (folder / "in").mkdir()
    write_video(folder / "in" / "b.mkv", draw_people(FRAMES, 2, HIDDEN))
    Image.fromarray(render_face(1, 1, 1, 96).image).save(folder / "in" / "a.png")
    Image.fromarray(next(draw_people(1, 3))).save(folder / "in" / "c.jpg")
    return folder


@pytest.fixture(scope="module")
def whole(template: Path) -> bytes:
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(template)
        assert run("in", "-o", "whole.csv") is None
    return (template / "whole.csv").read_bytes()


def test_each_frame_and_face_has_its_row(template: Path, whole: bytes) -> None:
    table = pd.read_csv(template / "whole.csv")
    assert table["id"].tolist() == ["a"] + ["b"] * (2 * (FRAMES - len(HIDDEN)) + len(HIDDEN)) + ["c"] * 3
    pictures = table[table["id"] != "b"]
    assert pictures[["frame", "time", "smoothed_expression", "smoothed_valence"]].isna().all(axis=None)
    assert pictures["cropped"].tolist() == [True, False, False, False]
    video = table[table["id"] == "b"]
    assert video.groupby("frame")["face"].agg(list).tolist() == [
        [0] if frame in HIDDEN else [1, 2] for frame in range(FRAMES)
    ]
    np.testing.assert_allclose(video["time"], video["frame"] / 25, atol=1e-6)
    seen = video[video["face"] > 0]
    for row in seen.to_dict("records"):
        left, top = place(row["face"] - 1, row["frame"])
        assert left < row["left"] + row["width"] / 2 < left + SIDE
        assert top < row["top"] + row["height"] / 2 < top + SIDE
    spread = seen.groupby("face")[["predicted_valence", "smoothed_valence"]].std()
    assert (spread["smoothed_valence"] < spread["predicted_valence"]).all()


@pytest.mark.parametrize("frames", [1, 2, 17, 39])
def test_a_killed_run_goes_on_inside_a_video(
    folder: Path, whole: bytes, monkeypatch: pytest.MonkeyPatch, frames: int
) -> None:
    append, appended = RowFile.append, 0

    def die(rows: RowFile, new: list) -> None:
        nonlocal appended
        appended += 1
        if appended > 1 + frames:
            raise KilledError
        append(rows, new)

    with monkeypatch.context() as patched:
        patched.setattr(RowFile, "append", die)
        with pytest.raises(KilledError):
            run("in", "-o", "p.csv")
    assert len((folder / "p.csv").read_bytes()) < len(whole)
    assert run("in", "-o", "p.csv", "--resume") is None
    assert (folder / "p.csv").read_bytes() == whole


@pytest.mark.parametrize("options", [["--batch-size", "1"], ["--batch-size", "8"], ["one core"]])
def test_batches_and_cores_change_nothing(
    folder: Path, whole: bytes, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    (folder / "whole.csv").write_bytes(whole)
    if options == ["one core"]:
        monkeypatch.setenv("LOKY_MAX_CPU_COUNT", "1")
        options = []
    assert run("in", "-o", "p.csv", *options) is None
    # One of the last digit.
    pd.testing.assert_frame_equal(pd.read_csv("p.csv"), pd.read_csv("whole.csv"), atol=1.01e-6, rtol=0)


def test_what_is_broken_costs_only_itself(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    content = (folder / "in" / "b.mkv").read_bytes()
    (folder / "in" / "b.mkv").write_bytes(content[: len(content) // 2])
    (folder / "in" / "b2.mp4").write_text("no video")
    (folder / "in" / "odd").write_bytes(content)
    line = run("in", "-o", "p.csv")
    assert line == "predict: 2 of 4 pictures and videos could not be read whole, as said above"
    output = capsys.readouterr()
    assert re.search(r"predict: in/b.mkv: ends after \d.\d s, \d.\d s before it should; all up to there is", output.err)
    assert "predict: in/b2.mp4: skipped, not a video that can be read (Invalid data found when proc" in output.err
    table = pd.read_csv(folder / "p.csv")
    assert set(table["id"]) == {"a", "b", "c"}
    assert 4 < table["frame"].nunique() < FRAMES


def test_what_was_seen_is_drawn_and_shown_on_a_page(folder: Path, whole: bytes) -> None:
    before = snapshot(folder / "in")
    assert run("in", "-o", "p.csv", "--annotate", "drawn", "--report", "page.html") is None
    assert (folder / "p.csv").read_bytes() == whole
    assert snapshot(folder / "in") == before
    drawn = sorted(str(file.relative_to(folder / "drawn")) for file in (folder / "drawn").rglob("*"))
    assert drawn == ["a.png", "b.mkv.mp4", "c.jpg"]
    assert Image.open(folder / "drawn" / "a.png").height == 4 * 96
    picture = np.asarray(Image.open(folder / "drawn" / "c.jpg")).astype(int)
    bare = np.asarray(Image.open(folder / "in" / "c.jpg").resize(picture.shape[1::-1])).astype(int)
    assert 0.02 < (np.abs(picture - bare).max(axis=2) > 60).mean() < 0.6
    with av.open(folder / "drawn" / "b.mkv.mp4") as container:
        assert container.streams.video[0].codec.name == "h264"
        frames = list(container.decode(video=0))
    assert [frame.time for frame in frames] == pytest.approx([number / 25 for number in range(FRAMES)])
    assert (frames[0].height, frames[0].width) == (2 * HEIGHT, 2 * WIDTH)
    page = (folder / "page.html").read_text()
    assert "40 frames looked at, 2 faces followed; 4 frames without a face" in page
    assert len(re.findall("<figure data-time", page)) >= 2
    assert "http" not in re.sub(r"http://www\.w3\.org/2000/svg", "", page), "it needs nothing else"


def test_a_video_of_cropped_faces_is_of_one_person(folder: Path) -> None:
    write_video(folder / "crops.mp4", [render_face(1, 1, 1, 96).image] * 5)
    assert run("crops.mp4", "--cropped", "-o", "p.csv", "--annotate", "drawn", "--report", "page.html") is None
    table = pd.read_csv(folder / "p.csv")
    assert table["face"].tolist() == [1] * 5
    assert table["left"].isna().all()
    assert table["smoothed_expression"].notna().all()


def test_frames_taken_far_apart_are_of_one_person(folder: Path) -> None:
    write_video(folder / "slow.mkv", draw_people(8), [1.5 * number for number in range(8)])
    assert run("slow.mkv", "-o", "p.csv", "--every", "1.5s", "--report", "page.html") is None
    assert pd.read_csv(folder / "p.csv")["face"].tolist() == [1] * 8
    assert ", 1 face followed" in (folder / "page.html").read_text()


@pytest.mark.parametrize(
    "options",
    [
        ["-o", "s.csv", "--report", "s.csv"],
        ["-o", "s.csv", "--annotate", "s.csv"],
        ["-o", "s.csv", "--annotate", "x", "--report", "x"],
        ["-o", "s.csv", "--report", "s.csv.unfinished"],
        ["-o", "s.parquet", "--report", "s.parquet.rows.csv"],
        ["-o", "s.csv", "--report", "in/b.mkv/page.html"],
        ["-o", "s.csv", "--annotate", "in/b.mkv/drawn"],
        ["-o", "s.csv", "--annotate", "in/drawn"],
    ],
)
def test_outputs_that_can_not_be_are_told_at_once(
    folder: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    monkeypatch.setattr(predict, "FacePredictor", lambda *_: pytest.fail("the model is loaded"))
    before = snapshot(folder)
    assert run("in", *options) is not None
    assert snapshot(folder) == before


def test_a_video_is_known_without_its_ending(folder: Path) -> None:
    shutil.copy("in/b.mkv", "video")
    shutil.copy("in/a.png", "photo")
    line = run("video", "photo", "missing.jpg", "-o", "p.csv", "--annotate", "drawn")
    assert line == "predict: 1 of 3 pictures and videos could not be read whole, as said above"
    assert sorted(file.name for file in (folder / "drawn").iterdir()) == ["photo.jpg", "video.mp4"]
    assert Image.open("drawn/photo.jpg").format == "JPEG"
    assert pd.read_csv("p.csv").groupby("id", sort=False)["frame"].count().to_dict() == {
        "video": len(pd.read_csv("p.csv")) - 1,
        "photo": 0,
    }


def test_what_was_broken_before_a_kill_is_told_after_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    content = (folder / "in" / "b.mkv").read_bytes()
    (folder / "broken.mkv").write_bytes(content[: len(content) // 2])
    with monkeypatch.context() as patched:
        patched.setattr(predict, "predict_pictures", lambda *_: (_ for _ in ()).throw(KilledError()))
        with pytest.raises(KilledError):
            run("broken.mkv", "in/a.png", "-o", "p.csv")
    line = run("broken.mkv", "in/a.png", "-o", "p.csv", "--resume")
    assert line == "predict: 1 of 2 pictures and videos could not be read whole, as said above"
    assert "predict: broken.mkv: ends after" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--annotate", "--report"])
def test_what_is_there_already_stays(folder: Path, option: str) -> None:
    (folder / "mine").mkdir()
    (folder / "mine" / "work.txt").write_text("of years")
    before = snapshot(folder)
    line = run("in", "-o", "p.csv", option, "mine")
    assert line is not None
    assert line.startswith("predict: mine is a folder that is there already, and is left as it is; name a new f")
    assert snapshot(folder) == before
