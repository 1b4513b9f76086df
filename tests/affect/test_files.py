"""Outputs appear whole or not at all, and nothing that somebody else has made is removed or replaced."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pandas as pd
import pytest
from conftest import snapshot
from occupied import OTHERS

from affect.errors import InputError
from affect.files import new_file, require_place, whole_file, whole_files, whole_folder, write_table

Writer = Callable[[Path], AbstractContextManager[Path]]


@contextmanager
def whole_folder_of_records(folder: Path) -> Iterator[Path]:
    with whole_folder(folder, ("index.csv",)) as unfinished:
        yield unfinished


FOLDERS: dict[str, Writer] = {"folder": whole_folder, "records": whole_folder_of_records}
FILES: dict[str, Writer] = {"replaced": whole_file, "new": new_file}


def fill(unfinished: Path) -> None:
    if unfinished.is_dir():
        (unfinished / "index.csv").write_text("made")
    else:
        unfinished.write_text("made")


@pytest.mark.parametrize("kind", OTHERS)
@pytest.mark.parametrize("writer", FILES)
def test_a_file_replaces_nothing_else(tmp_path: Path, writer: str, kind: str) -> None:
    OTHERS[kind](tmp_path / "output.csv")
    before = snapshot(tmp_path)
    with pytest.raises(InputError, match=r"output\.csv is a .* left as it is"), FILES[writer](tmp_path / "output.csv"):
        pytest.fail("the work begins")
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("kind", [*(kind for kind in OTHERS if kind != "empty folder"), "file"])
@pytest.mark.parametrize("writer", FOLDERS)
def test_a_folder_replaces_nothing_else(tmp_path: Path, writer: str, kind: str) -> None:
    if kind == "file":
        (tmp_path / "output").write_text("years of work")
    else:
        OTHERS[kind](tmp_path / "output")
    before = snapshot(tmp_path)
    with pytest.raises(InputError, match=r"output .* left as it is"), FOLDERS[writer](tmp_path / "output"):
        pytest.fail("the work begins")
    assert snapshot(tmp_path) == before


def test_a_new_file_replaces_no_file_either(tmp_path: Path) -> None:
    (tmp_path / "output.csv").write_text("years of work")
    with (
        pytest.raises(InputError, match=r"output\.csv is a file that is there already"),
        new_file(tmp_path / "output.csv"),
    ):
        pytest.fail("the work begins")
    assert (tmp_path / "output.csv").read_text() == "years of work"


def test_a_name_that_is_taken_meanwhile_costs_neither_file(tmp_path: Path) -> None:
    file = tmp_path / "output.csv"

    def write() -> None:
        with new_file(file) as unfinished:
            fill(unfinished)
            file.write_text("somebody else's")

    with pytest.raises(InputError) as refusal:
        write()
    kept = Path(str(refusal.value).rpartition(" ")[2])
    assert (file.read_text(), kept.read_text()) == ("somebody else's", "made")
    assert set(tmp_path.iterdir()) == {file, kept}


def test_files_of_a_folder_are_replaced_by_their_names_alone(tmp_path: Path) -> None:
    for _ in range(2):
        with whole_folder_of_records(tmp_path / "records") as unfinished:
            fill(unfinished)
    assert [path.name for path in (tmp_path / "records").iterdir()] == ["index.csv"]
    (tmp_path / "records" / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match=r"holds 'thesis\.txt'"), whole_folder_of_records(tmp_path / "records"):
        pytest.fail("the work begins")


def test_files_take_their_places_beside_others(tmp_path: Path) -> None:
    (tmp_path / "curves" / "val").mkdir(parents=True)
    for name in ("thesis.txt", "val/loss.tsv", "val/notes.txt"):
        (tmp_path / "curves" / name).write_text("before")
    with whole_files(tmp_path / "curves") as unfinished:
        (unfinished / "val").mkdir()
        (unfinished / "val" / "loss.tsv").write_text("made")
    assert snapshot(tmp_path / "curves") == {
        "thesis.txt": b"before",
        "val": "folder",
        "val/loss.tsv": b"made",
        "val/notes.txt": b"before",
    }


@pytest.mark.parametrize("writer", [whole_file, new_file, whole_folder, whole_files])
def test_an_error_leaves_nothing(tmp_path: Path, writer: Writer) -> None:
    def write() -> None:
        with writer(tmp_path / "output") as unfinished:
            fill(unfinished)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    assert not list(tmp_path.iterdir())


def test_what_a_killed_process_has_left_is_removed_and_nothing_that_looks_like_it(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    left = [tmp_path / f"affect.tmp.{process}.out.csv" for process in (dead.pid, os.getpid())]
    kept = [
        f"affect.tmp.{os.getppid()}.out.csv",
        f"affect.tmp.{dead.pid}.my.out.csv",
        "out.1234.tmp.csv",
        "out.csv.tmp",
    ]
    for file in (*left, *(tmp_path / name for name in kept)):
        file.write_text("")
    write_table(tmp_path / "out.csv", pd.DataFrame({"id": ["a"]}))
    assert {path.name for path in tmp_path.iterdir()} == {*kept, "out.csv"}


def test_a_folder_that_cannot_be_written_is_found_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError) as refusal:
        require_place(tmp_path / "file" / "output.csv")
    assert refusal.value.filename == str(tmp_path / "file" / "output.csv")
    require_place(tmp_path / "not" / "there" / "yet.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
