"""A stranger's data may be made to do harm: it is refused before it can, and nothing waits for ever."""

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import keras
import pytest
from conftest import ROOT, Workspace, write_face

from affect.core.records import read_records
from affect.data.images.reading import ImageLimits, UnusableImageError, read_image
from affect.models.saved_model import load_model
from affect.plumbing.errors import InputError
from affect.plumbing.params import load_params

NAMES = ("a b", "it's", 'say "hi"', "a,b", "..", "...", "-rf", "$(touch fired)", "%s", "nan", "a\\b", "名", "~", "*")


def write_bomb(file: Path, side: int) -> None:
    """A PNG of one bit a pixel and one colour, which is a thousandth of its picture."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes((1 + side // 8) * side), 9)
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))


def test_a_picture_that_is_large_only_when_decoded_is_refused_by_its_header(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "bomb.png"
    write_bomb(file, 2000)
    assert read_image(file, ImageLimits(1, 4_000_000)).shape == (2000, 2000, 3)
    write_bomb(file, 20_000)
    assert file.stat().st_size < 50_000
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda _: pytest.exit("it is decoded"))
    with pytest.raises(UnusableImageError) as refusal:
        read_image(file, ImageLimits(1, load_params(ROOT / "params.yaml").data.max_pixels))
    assert (refusal.value.reason, "20000x20000" in refusal.value.detail) == ("image_too_large", True)


def link_to_itself(path: Path) -> None:
    path.symlink_to(path.name)


def link_to_its_folder(path: Path) -> None:
    path.symlink_to(".", target_is_directory=True)


def link_to_endless_zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("make", [link_to_itself, link_to_its_folder, link_to_endless_zeros, os.mkfifo])
@pytest.mark.parametrize("place", ["images/bad.jpg", "annotations/bad_exp.npy", "annotations/bad_val.npy"])
def test_what_is_no_file_drops_the_image_and_nothing_waits(
    workspace: Workspace, make: Callable[[Path], None], place: str
) -> None:
    for name in ("bad", *range(4)):
        write_face(workspace.raw, name, 0, 0.5)
    (workspace.raw / place).unlink()
    make(workspace.raw / place)
    workspace.set_params(**{"data.max_dropped": 0.5})
    result = workspace.run_script("prepare")
    assert (result.returncode, result.stderr) == (0, "")
    assert workspace.read_dropped().index.tolist() == ["bad"]


def test_a_dataset_that_is_a_link_to_itself_is_refused(workspace: Workspace) -> None:
    workspace.raw.parent.mkdir()
    link_to_itself(workspace.raw)
    result = workspace.run_script("prepare")
    assert result.returncode == 1
    assert "data/faces is not a folder" in result.stderr


def test_odd_names_are_names_and_nothing_else(workspace: Workspace) -> None:
    for name in NAMES:
        write_face(workspace.raw, name, 0)
    before = set(workspace.folder.parent.iterdir())
    assert workspace.run_script("prepare").returncode == 0
    assert workspace.run_script("augment").returncode == 0
    assert set(read_records(workspace.folder / "data" / "prepared").index["id"]) == set(NAMES)
    assert set(workspace.folder.parent.iterdir()) == before
    assert not list(workspace.folder.rglob("fired"))


def test_a_split_names_ids_and_never_paths(workspace: Workspace) -> None:
    for name in range(4):
        write_face(workspace.raw, name, 0)
    write_face(workspace.folder, "outside", 0)
    split = workspace.folder / "data" / "splits" / "odd.csv"
    split.parent.mkdir(parents=True)
    split.write_text("id,split\n0,train\n1,val\n../../../images/outside,train\n")
    workspace.set_params(**{"data.split_file": "data/splits/odd.csv"})
    result = workspace.run_script("prepare")
    assert result.returncode == 0
    assert "ids of data.split_file that data.raw lacks: 1, such as '../../../images/outside'" in result.stderr
    assert read_records(workspace.folder / "data" / "prepared").index["id"].tolist() == ["0", "1"]


def test_code_in_a_model_is_not_run(tmp_path: Path) -> None:
    fired = tmp_path / "fired"
    # A lambda is saved as its byte code.
    run = eval(f"lambda x: __import__('os').makedirs({str(fired)!r}, exist_ok=True) or x")
    inputs = keras.Input((1,))
    keras.Model(inputs, {"emotion": keras.layers.Lambda(run)(inputs)}).save(tmp_path / "m.keras")
    fired.rmdir()
    with pytest.raises(InputError, match=r"m\.keras: not a model of this repository"):
        load_model(tmp_path / "m.keras")
    assert not fired.exists()
    # The trap is real: it does fire where code is allowed.
    keras.models.load_model(tmp_path / "m.keras", safe_mode=False)
    assert fired.exists()


def test_lists_that_hold_each_other_are_refused_before_they_fill_the_memory(tmp_path: Path) -> None:
    lists = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lists += [f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 12)]
    params = (ROOT / "params.yaml").read_text(encoding="utf-8").replace("raw: data/sample", "raw: *a11")
    file = tmp_path / "params.yaml"
    file.write_text("\n".join([*lists, params]), encoding="utf-8")
    with pytest.raises(InputError) as refusal:
        load_params(file)
    assert "data.raw is [" in str(refusal.value)
    assert len(str(refusal.value)) < 1000
