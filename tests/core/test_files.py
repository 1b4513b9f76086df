"""Outputs appear whole or not at all, and nothing that somebody else has made is removed or replaced."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pandas as pd
import pytest
from conftest import ROOT, snapshot
from occupied import OTHERS

from affect.core.files import atomic_file, atomic_folder, new_file, new_folder, write_table
from affect.core.places import require_folder, require_place
from affect.plumbing.errors import InputError

Writer = Callable[[Path], AbstractContextManager[Path]]


@contextmanager
def whole_folder_of_records(folder: Path) -> Iterator[Path]:
    with atomic_folder(folder, ("index.csv",)) as unfinished:
        yield unfinished


FOLDERS: dict[str, Writer] = {"folder": atomic_folder, "records": whole_folder_of_records}
FILES: dict[str, Writer] = {"replaced": atomic_file, "new": new_file}


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


@pytest.mark.parametrize("taken_by", ["a file", "an empty folder", "a full folder"])
def test_a_folder_whose_name_is_taken_meanwhile_is_kept_beside_it(tmp_path: Path, taken_by: str) -> None:
    folder = tmp_path / "explained"

    def write() -> None:
        with new_folder(folder) as unfinished:
            (unfinished / "faces.csv").write_text("made")
            if taken_by == "a file":
                folder.write_text("somebody else's")
            else:
                folder.mkdir()
            if taken_by == "a full folder":
                (folder / "faces.csv").write_text("somebody else's")
            before.update(snapshot(folder) if folder.is_dir() else {"": folder.read_bytes()})

    before: dict = {}
    with pytest.raises(InputError, match="has come meanwhile") as refusal:
        write()
    kept = Path(str(refusal.value).rpartition(" ")[2])
    assert snapshot(kept) == {"faces.csv": b"made"}
    assert (snapshot(folder) if folder.is_dir() else {"": folder.read_bytes()}) == before
    assert set(tmp_path.iterdir()) == {folder, kept}


def test_files_of_a_folder_are_replaced_by_their_names_alone(tmp_path: Path) -> None:
    for _ in range(2):
        with whole_folder_of_records(tmp_path / "records") as unfinished:
            fill(unfinished)
    assert [path.name for path in (tmp_path / "records").iterdir()] == ["index.csv"]
    (tmp_path / "records" / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match=r"holds 'thesis\.txt'"), whole_folder_of_records(tmp_path / "records"):
        pytest.fail("the work begins")


def test_folders_in_a_folder_are_replaced_by_the_paths_of_their_files(tmp_path: Path) -> None:
    made = ["metrics/val/loss.tsv", "metrics/val/ccc.tsv"]
    for name in ("ccc", "loss"):
        with atomic_folder(tmp_path / "plots", made) as unfinished:
            (unfinished / "metrics" / "val").mkdir(parents=True)
            (unfinished / "metrics" / "val" / f"{name}.tsv").write_text(name)
    assert snapshot(tmp_path) == {
        "plots": "folder",
        "plots/metrics": "folder",
        "plots/metrics/val": "folder",
        "plots/metrics/val/loss.tsv": b"loss",
    }
    for other in ("metrics/val/notes.tsv", "metrics/loss.tsv", "thesis.txt", "metrics/val/ccc.tsv/thesis.txt"):
        place = tmp_path / "plots" / other
        place.parent.mkdir(exist_ok=True)
        place.write_text("years of work")
        with pytest.raises(InputError, match="left as it is"):
            require_folder(tmp_path / "plots", made)
        place.unlink()
        if place.parent.name == "ccc.tsv":
            place.parent.rmdir()
    require_folder(tmp_path / "plots", made)


@pytest.mark.parametrize("writer", [atomic_file, new_file, atomic_folder, new_folder])
def test_an_error_leaves_nothing(tmp_path: Path, writer: Writer) -> None:
    def write() -> None:
        with writer(tmp_path / "output") as unfinished:
            fill(unfinished)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    assert not list(tmp_path.iterdir())


HOLD = """
import sys
from pathlib import Path
from affect.core.files import new_file
with new_file(Path(sys.argv[1])) as unfinished:
    print(unfinished, flush=True)
    unfinished.write_text(sys.stdin.readline())
"""


def start_writing(file: Path) -> tuple[subprocess.Popen[str], Path]:
    """Start a process that writes the file once it is told what; returns it and its unfinished file."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file)],
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_what_a_killed_process_has_left_is_removed_and_nothing_that_looks_like_it(tmp_path: Path) -> None:
    killed, left = start_writing(tmp_path / "out.csv")
    killed.kill()
    killed.communicate()
    assert left.exists()
    kept = ["affect.tmp.0123abcd/my.out.csv", "affect.tmp.1234/out.csv", "out.1234.tmp.csv", "out.csv.tmp"]
    for name in kept:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    write_table(tmp_path / "out.csv", pd.DataFrame({"id": ["a"]}))
    assert {name for name, content in snapshot(tmp_path).items() if content != "folder"} == {*kept, "out.csv"}


def test_what_another_process_is_writing_is_no_leftover(tmp_path: Path) -> None:
    file = tmp_path / "out.csv"
    other, unfinished = start_writing(file)
    with new_file(file) as ours:
        assert unfinished.exists()
        fill(ours)
    other.communicate("theirs")
    assert other.returncode != 0
    (kept,) = (path for path in tmp_path.iterdir() if path != file)
    assert (file.read_text(), kept.read_text()) == ("made", "theirs")


def test_a_folder_that_cannot_be_written_is_found_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError) as refusal:
        require_place(tmp_path / "file" / "output.csv")
    assert refusal.value.filename == str(tmp_path / "file" / "output.csv")
    require_place(tmp_path / "not" / "there" / "yet.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
