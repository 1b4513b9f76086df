"""However a run ends, another that goes on writes the same bytes as one that was let be."""

import json
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from affect.inference.rows import ROWS, UNFINISHED, open_rows
from affect.plumbing.errors import InputError

MADE = {"model": "face.keras"}
# By source, its faces' numbers; names that need quotes, and one that is not ASCII.
TABLES = {
    source: pd.DataFrame({"source": source, "face": range(1, faces + 1), "score": 1 / 3})
    for source, faces in {"a.jpg": 1, "b, c.jpg": 3, 'd "e".jpg': 1, "ü.jpg": 2}.items()
}


def write(output: Path, resume: bool = False) -> None:
    with open_rows(output, lambda: MADE, resume) as rows:
        for source, table in TABLES.items():
            if source not in rows.done:
                rows.append(table)


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
    output.with_name(output.name + UNFINISHED).write_text(json.dumps(MADE))
    write(output, resume=True)
    assert output.read_bytes() == whole
    assert [file.name for file in output.parent.iterdir()] == ["out.csv"]


def test_a_run_without_a_row_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no model"), open_rows(tmp_path / "out.csv", lambda: MADE):
        raise InputError("no model")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("ending", ["", UNFINISHED, ROWS])
def test_what_has_a_name_that_is_needed_stays(tmp_path: Path, ending: str) -> None:
    taken = tmp_path / f"out.parquet{ending}"
    taken.write_text("years of work")
    with pytest.raises(InputError, match="is a file that is there already, and is left as it is; name a new file"):
        write(tmp_path / "out.parquet")
    assert [(file, file.read_text()) for file in tmp_path.iterdir()] == [(taken, "years of work")]
