"""However a run ends, another that goes on writes the same bytes as one that was let be."""

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affect.inference.tables import Row, RowFile, open_rows, read_pictures
from affect.inference.tables.marker import UNFINISHED
from affect.inference.tables.rows import ROWS
from affect.plumbing.errors import InputError

MADE = {"model": "face.keras"}
COLUMNS = ["source", "frame", "face", "score", "cropped", "predicted_expression"]
# By source, its frames and the faces of each; names that need quotes, and one that is not ASCII.
FACES: dict[str, dict[int | None, int]] = {
    "a.jpg": {None: 1},
    "b, c.jpg": {None: 3},
    'd "e".mp4': {0: 1, 5: 2, 10: 3},
    "f.mp4": {0: 2, 1: 2},
    "ü.jpg": {None: 2},
}


def draw_rows(source: str, frame: int | None) -> list[Row]:
    return [
        {"source": source, "frame": frame, "face": face, "score": 1 / 3, "cropped": face == 1}
        for face in range(1, FACES[source][frame] + 1)
    ]


def write(output: Path, resume: bool = False) -> None:
    with open_rows(output, COLUMNS, lambda: MADE, resume) as rows:
        for source, frames in FACES.items():
            begun = list(read_pictures(rows.file, source)) if rows.begun == source else []
            after = begun[-1][0]["frame"] if begun else -1
            for frame in frames if source not in rows.done else ():
                if frame is None or frame > after:
                    rows.append(draw_rows(source, frame))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    output = tmp_path_factory.mktemp("whole") / "out.csv"
    write(output)
    assert [file.name for file in output.parent.iterdir()] == ["out.csv"]
    return output.read_bytes()


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_run_that_was_cut_off_anywhere_goes_on(
    whole: bytes, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    output = tmp_path_factory.mktemp("cut") / "out.csv"
    output.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    output.with_name(output.name + UNFINISHED).write_text(json.dumps({"made_with": MADE, "faults": []}))
    write(output, resume=True)
    assert output.read_bytes() == whole
    assert [file.name for file in output.parent.iterdir()] == ["out.csv"]


def test_rows_are_read_as_they_were_written(tmp_path: Path) -> None:
    write(tmp_path / "out.csv")
    expected = [draw_rows(source, frame) for source, frames in FACES.items() for frame in frames]
    pictures = list(read_pictures(tmp_path / "out.csv"))
    assert [[{name: row[name] for name in COLUMNS[:-1]} for row in rows] for rows in pictures] == expected
    assert list(read_pictures(tmp_path / "out.csv", "f.mp4")) == [p for p in pictures if p[0]["source"] == "f.mp4"]


def test_what_an_earlier_run_could_not_read_is_remembered(tmp_path: Path) -> None:
    with suppress(KeyboardInterrupt), open_rows(tmp_path / "out.csv", COLUMNS, lambda: MADE) as rows:
        rows.append(draw_rows("a.jpg", None))
        rows.append(draw_rows("b, c.jpg", None))
        rows.note("a.jpg: breaks off")
        raise KeyboardInterrupt
    with open_rows(tmp_path / "out.csv", COLUMNS, lambda: MADE, resume=True) as rows:
        assert rows.faults == ["a.jpg: breaks off"]
        rows.require(["a.jpg", "new.jpg"])
        with pytest.raises(InputError, match=r"a.jpg is in .*out.csv, and not among what is named now; name all"):
            rows.require(["new.jpg"])


@pytest.mark.parametrize("content", ["", "{}", "[1]", "\0\0\0", '{"model": 1}'])
def test_a_marker_that_is_none_is_named(tmp_path: Path, content: str) -> None:
    write(tmp_path / "out.csv")
    (tmp_path / f"out.csv{UNFINISHED}").write_text(content)
    before = (tmp_path / "out.csv").read_bytes()
    with pytest.raises(InputError, match="not what a run has left; remove it and "):
        write(tmp_path / "out.csv", resume=True)
    assert (tmp_path / "out.csv").read_bytes() == before


def test_what_a_power_cut_leaves_of_a_block_is_cut_off(tmp_path: Path, whole: bytes) -> None:
    output = tmp_path / "out.csv"
    output.write_bytes(whole[: len(whole) // 2] + bytes(500) + b"\n" + bytes(100))
    output.with_name(output.name + UNFINISHED).write_text(json.dumps({"made_with": MADE, "faults": []}))
    write(output, resume=True)
    assert output.read_bytes() == whole


def test_a_run_without_a_row_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no model"), open_rows(tmp_path / "out.csv", COLUMNS, lambda: MADE):
        raise InputError("no model")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_named() -> None:
    with pytest.raises(OSError, match="No space left") as raised:
        RowFile(Path("/dev/full"), COLUMNS).append(draw_rows("a.jpg", None))
    assert raised.value.filename == "/dev/full, which --resume goes on with"


@pytest.mark.parametrize("ending", ["", UNFINISHED, ROWS])
def test_what_has_a_name_that_is_needed_stays(tmp_path: Path, ending: str) -> None:
    taken = tmp_path / f"out.parquet{ending}"
    taken.write_text("years of work")
    with pytest.raises(InputError, match="is a file that is there already, and is left as it is; name a new file"):
        write(tmp_path / "out.parquet")
    assert [(file, file.read_text()) for file in tmp_path.iterdir()] == [(taken, "years of work")]
