"""Every row of docs/data.md's table: what is converted, what drops one image, what stops the stage."""

import importlib
import io
import os
import pickle
import re
import struct
import unicodedata
import zlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from conftest import Workspace, draw_picture, refuse, write_face, write_image, write_labels
from PIL import Image, PngImagePlugin

import prepare
from affect.core.labels import EXPRESSIONS
from affect.core.records import Records, read_records
from affect.data.images.cropping import letterbox
from affect.data.images.reading import ImageLimits, UnusableImageError, read_image
from affect.data.layouts.affectnet import AffectNet, Files
from affect.data.layouts.item import Item, Labels
from affect.plumbing.errors import InputError

GOOD = {f"good{number}": number % 7 for number in range(28)}
LONELY = "lonely"
CONTEMPT = 7
LIMITS = ImageLimits(16, 10**6)

Write = Callable[[Path], object]
Form = Literal["NFC", "NFD"] | None


# How a dataset with every kind of fault is made.


def encode(image: Image.Image, format: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format)
    return buffer.getvalue()


def read_labels(raw: Path, id: str) -> Labels:
    return AffectNet(raw).read_labels(Item(id, f"images/{id}.jpg", Files("", id, (f"{id}.jpg",), (id,))))


def picture(id: str) -> Image.Image:
    return Image.fromarray(draw_picture(id))


def png_header(width: int, height: int) -> bytes:
    """A PNG that ends where its pixels would begin: whoever decodes it fails."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    length, checksum = struct.pack(">I", len(header) - 4), struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + length + header + checksum + struct.pack(">I", 0) + b"IDAT"


class MakeFolder:
    """Unpickling it makes a folder."""

    def __init__(self, folder: str) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Callable[[str], None], tuple[str]]:
        return os.mkdir, (self.folder,)


def content(id: str, data: bytes, suffix: str = ".jpg") -> Write:
    """Put these bytes under the name of an annotated image."""

    def write(raw: Path) -> None:
        write_labels(raw, id, 0)
        (raw / "images" / f"{id}{suffix}").write_bytes(data)

    return write


def label(id: str, name: str, value: object) -> Write:
    """Replace one label of an annotated image."""

    def write(raw: Path) -> None:
        write_face(raw, id, 0)
        file = raw / "annotations" / f"{id}_{name}.npy"
        file.unlink()
        if isinstance(value, bytes):
            file.write_bytes(value)
        elif value is not None:
            np.save(file, np.asarray(value))

    return write


def object_array(raw: Path) -> None:
    write_face(raw, "object_array", 0)
    array = np.array([MakeFolder(str(raw / "fired"))], dtype=object)
    np.save(raw / "annotations" / "object_array_exp.npy", array, allow_pickle=True)


def bare_pickle(raw: Path) -> None:
    label("bare_pickle", "exp", pickle.dumps(MakeFolder(str(raw / "fired"))))(raw)


def same_id(raw: Path) -> None:
    write_face(raw, "same_id", 0)
    picture("other").save(raw / "images" / "same_id.png")


def folder_for_image(raw: Path) -> None:
    write_labels(raw, "folder_for_image", 0)
    (raw / "images" / "folder_for_image.jpg").mkdir()


def other_ending(raw: Path) -> None:
    write_labels(raw, "other_ending", 0)
    picture("other_ending").save(raw / "images" / "other_ending.tiff")


def cut_and_closed(id: str, progressive: bool = False, **options: int) -> "Fault":
    """Half of a JPEG's data, closed by an end marker: decoders fill the rest with grey."""
    buffer = io.BytesIO()
    noise = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(noise).save(buffer, "JPEG", progressive=progressive, **options)
    data = buffer.getvalue()
    return Fault(content(id, data[: len(data) // 2] + b"\xff\xd9"), "image_unreadable", f"{id}.jpg: cut short")


@dataclass(frozen=True)
class Fault:
    """One faulty image: how it is written, the reason it is dropped for, and what the detail says."""

    write: Write
    reason: str
    detail: str


JPEG = encode(picture("jpeg"), "JPEG")

FAULTS: Mapping[str, Fault] = {
    "no_labels": Fault(lambda raw: write_image(raw, "no_labels"), "no_annotation", "no_labels_exp.npy"),
    "no_picture": Fault(lambda raw: write_labels(raw, "no_picture", 0), "no_image", "no_picture_exp.npy"),
    "same_id": Fault(same_id, "duplicate_id", "same_id.jpg, same_id.png"),
    "truncated": Fault(content("truncated", JPEG[: len(JPEG) // 2]), "image_unreadable", "truncated.jpg"),
    "cut_and_closed": cut_and_closed("cut_and_closed"),
    "cut_progressive": cut_and_closed("cut_progressive", progressive=True),
    "cut_with_restarts": cut_and_closed("cut_with_restarts", restart_marker_blocks=2),
    "other_ending": Fault(other_ending, "no_image", "other_ending.tiff is of no ending that is read (.jpg,"),
    "text": Fault(content("text", b"not an image\n"), "image_unreadable", "text.jpg"),
    "zero_bytes": Fault(content("zero_bytes", b""), "image_unreadable", "zero_bytes.jpg"),
    "gif": Fault(content("gif", encode(picture("gif"), "GIF")), "image_unreadable", "gif.jpg"),
    "folder_for_image": Fault(folder_for_image, "image_unreadable", "folder_for_image.jpg"),
    "one_pixel": Fault(
        content("one_pixel", encode(Image.new("RGB", (1, 1)), "PNG"), ".png"),
        "image_too_small",
        "one_pixel.png is 1x1",
    ),
    "huge": Fault(content("huge", png_header(20000, 20000), ".png"), "image_too_large", "huge.png is 20000x20000"),
    "exp_8": Fault(label("exp_8", "exp", "8"), "expression_none", "exp_8_exp.npy is 8"),
    "exp_9": Fault(label("exp_9", "exp", "9"), "expression_uncertain", "exp_9_exp.npy is 9"),
    "exp_10": Fault(label("exp_10", "exp", 10), "expression_no_face", "exp_10_exp.npy is 10"),
    "exp_minus_1": Fault(label("exp_minus_1", "exp", -1), "expression_out_of_range", "is -1, not 0 to 7"),
    "exp_11": Fault(label("exp_11", "exp", "11"), "expression_out_of_range", "is 11, not 0 to 7"),
    "exp_half": Fault(label("exp_half", "exp", 2.5), "expression_out_of_range", "is 2.5, not 0 to 7"),
    "exp_abc": Fault(label("exp_abc", "exp", "abc"), "annotation_unreadable", "exp_abc_exp.npy: could not convert"),
    "exp_nan": Fault(label("exp_nan", "exp", np.nan), "annotation_unreadable", "exp_nan_exp.npy is NaN"),
    "exp_two": Fault(label("exp_two", "exp", [1, 2]), "annotation_unreadable", "exp_two_exp.npy"),
    "exp_empty": Fault(label("exp_empty", "exp", b""), "annotation_unreadable", "exp_empty_exp.npy"),
    "exp_text": Fault(label("exp_text", "exp", b"3\n"), "annotation_unreadable", "exp_text_exp.npy: is no .npy file"),
    "object_array": Fault(object_array, "annotation_unreadable", "object_array_exp.npy: holds Python objects"),
    "bare_pickle": Fault(bare_pickle, "annotation_unreadable", "bare_pickle_exp.npy: is no .npy file"),
    "exp_almost_3": Fault(label("exp_almost_3", "exp", 2.9999999), "expression_out_of_range", "is 2.9999999, not 0"),
    "val_above_1": Fault(label("val_above_1", "val", 1.00001), "affect_out_of_range", "is 1.00001, not in [-1, 1]"),
    "val_3": Fault(label("val_3", "val", "3.0"), "affect_out_of_range", "val_3_val.npy is 3, not in [-1, 1] or -2"),
    "val_nan": Fault(label("val_nan", "val", np.nan), "annotation_unreadable", "val_nan_val.npy is NaN"),
    "aro_3": Fault(label("aro_3", "aro", -1.5), "affect_out_of_range", "aro_3_aro.npy is -1.5"),
    "aro_abc": Fault(label("aro_abc", "aro", "abc"), "annotation_unreadable", "aro_abc_aro.npy"),
}


def grey(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("L").convert("RGB"))


def palette(image: Image.Image) -> Image.Image:
    return image.convert("P", palette=Image.Palette.ADAPTIVE)


def translucent(image: Image.Image) -> Image.Image:
    """The picture under an alpha channel that runs from opaque to fully transparent."""
    alpha = np.tile(np.linspace(0, 255, image.width).astype(np.uint8), (image.height, 1))
    return Image.merge("RGBA", [*image.split(), Image.fromarray(alpha)])


def sixteen_bit(image: Image.Image) -> Image.Image:
    return Image.fromarray(np.asarray(image.convert("L")).astype(np.uint16) * 257)


# Of each kind: its file's ending and format, how it is made of an RGB picture, and what must come out of it.
CONVERTED: Mapping[str, tuple[str, str, Callable[[Image.Image], Image.Image], Callable[[Image.Image], np.ndarray]]] = {
    "grey_jpeg": (".jpg", "JPEG", lambda image: image.convert("L"), grey),
    "grey_png": (".png", "PNG", lambda image: image.convert("L"), grey),
    "grey_alpha": (".png", "PNG", lambda image: image.convert("LA"), grey),
    "alpha": (".png", "PNG", translucent, np.asarray),
    "sixteen_bit": (".png", "PNG", sixteen_bit, grey),
    "cmyk": (".jpg", "JPEG", lambda image: image.convert("CMYK"), np.asarray),
    "palette": (".png", "PNG", palette, lambda image: np.asarray(palette(image).convert("RGB"))),
    "webp_named_jpg": (".jpg", "WEBP", lambda image: image, np.asarray),
    "capital_ending": (".JPG", "JPEG", lambda image: image, np.asarray),
    "webp": (".webp", "WEBP", lambda image: image, np.asarray),
    "jfif": (".jfif", "JPEG", lambda image: image, np.asarray),
    "bmp": (".bmp", "BMP", lambda image: image, np.asarray),
}

# Valence and arousal as they are written; None writes no file.
NOT_ANNOTATED: Mapping[str, tuple[object, object]] = {
    "minus_2": ("-2", "-2"),
    "minus_2_number": (-2.0, 0.5),
    "no_val_file": (None, 0.5),
    "no_aro_file": (0.5, None),
    "neither_file": (None, None),
}

USED = len(GOOD) + 1 + len(CONVERTED) + len(NOT_ANNOTATED)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A dataset with every fault of an image beside good images, after `prepare` went through it."""
    workspace = Workspace.create(tmp_path_factory.mktemp("faulty"))
    workspace.set_params(**{"data.max_dropped": 0.9})
    for id, expression in GOOD.items():
        write_face(workspace.raw, id, expression, 0.25, -0.25)
    write_face(workspace.raw, LONELY, CONTEMPT)
    for id, (suffix, format, convert, _) in CONVERTED.items():
        write_labels(workspace.raw, id, 0)
        convert(picture(id)).save(workspace.raw / "images" / f"{id}{suffix}", format)
    for id, affect in NOT_ANNOTATED.items():
        write_face(workspace.raw, id, 1, *affect)
    for fault in FAULTS.values():
        fault.write(workspace.raw)
    result = workspace.run_script("prepare")
    assert (result.returncode, result.stderr) == (0, "")
    return workspace


@pytest.fixture(scope="module")
def records(faulty: Workspace) -> Records:
    return read_records(faulty.folder / "data" / "prepared")


# One image is at fault: it alone is lost.


@pytest.mark.parametrize("id", FAULTS)
def test_fault_drops_the_image_with_its_reason(faulty: Workspace, records: Records, id: str) -> None:
    row = faulty.read_dropped().loc[id]
    assert row["reason"] == FAULTS[id].reason
    assert FAULTS[id].detail in row["detail"]
    assert id not in set(records.index["id"])


def test_nothing_else_is_lost_and_the_counts_add_up(faulty: Workspace, records: Records) -> None:
    summary = faulty.read_metrics("prepare")
    expected = {*GOOD, LONELY, *CONVERTED, *NOT_ANNOTATED}
    assert set(records.index["id"]) == expected
    assert summary["found"] == USED + len(FAULTS)
    assert summary["used"] == USED
    reasons = Counter(fault.reason for fault in FAULTS.values())
    assert summary["dropped"] == {"total": len(FAULTS)} | reasons


def test_pickle_is_never_loaded(faulty: Workspace) -> None:
    assert not (faulty.raw / "fired").exists()
    # The trap is real: it does fire where pickles are allowed.
    np.load(faulty.raw / "annotations" / "object_array_exp.npy", allow_pickle=True)
    assert (faulty.raw / "fired").is_dir()
    (faulty.raw / "fired").rmdir()


@pytest.mark.parametrize("id", CONVERTED)
def test_image_of_another_kind_is_converted(records: Records, id: str) -> None:
    row = records.index["id"].tolist().index(id)
    expected = CONVERTED[id][3](picture(id)).astype(int)
    difference = np.abs(records.images[row].astype(int) - expected)
    assert difference.mean() < 6, "lossy compression alone stays under this"
    assert expected.std() > 30, "a picture that a blank one can't be taken for"


@pytest.mark.parametrize("id", NOT_ANNOTATED)
def test_affect_of_minus_2_or_without_a_file_is_not_annotated_and_the_image_stays(records: Records, id: str) -> None:
    row = records.index.set_index("id").loc[id]
    for name, written in zip(("valence", "arousal"), NOT_ANNOTATED[id], strict=True):
        if written == 0.5:
            assert row[name] == 0.5
        else:
            assert np.isnan(row[name])


def test_class_with_one_image_runs_and_that_image_is_in_train(faulty: Workspace, records: Records) -> None:
    rows = records.index[records.index["expression"] == CONTEMPT]
    assert rows[["id", "split"]].to_numpy().tolist() == [[LONELY, "train"]]
    counts = faulty.read_metrics("prepare")["splits"]
    assert [counts[split][EXPRESSIONS[CONTEMPT]] for split in ("train", "val")] == [1, 0]


@pytest.mark.parametrize(
    "damaged",
    [
        b"PK\x03\x04 the beginning of an .npz",
        b"\x93NUMPY\x01\x00\x40\x00" + b"{'descr': ((((" + b" " * 49 + b"\n",
        b"\x93NUMPY\x01\x00\x76\x00"
        + b"{'descr': '<U1', 'fortran_order': False, 'shape': (), }".ljust(117)
        + b"\n"
        + b"\xff\xff\xff\xff",
    ],
    ids=["damaged zip", "damaged header", "not a character"],
)
def test_damaged_annotation_of_any_kind_drops_the_image(tmp_path: Path, damaged: bytes) -> None:
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "1_exp.npy").write_bytes(damaged)
    with pytest.raises(UnusableImageError) as refusal:
        read_labels(tmp_path, "1")
    assert refusal.value.reason == "annotation_unreadable"
    assert "1_exp.npy" in refusal.value.detail


@pytest.mark.parametrize("compressed", [True, False])
def test_megabytes_of_text_in_a_sound_png_are_no_fault(tmp_path: Path, compressed: bool) -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("history", "edited " * 300_000, zip=compressed)
    picture("text").save(tmp_path / "1.png", pnginfo=text)
    read = read_image(tmp_path / "1.png", LIMITS)
    np.testing.assert_array_equal(read, np.asarray(picture("text")))


def grey_below(quality: int) -> bytes:
    """A sound JPEG whose lower half really is of the grey with which decoders fill what is missing."""
    pixels = draw_picture("grey")
    pixels[32:] = 128
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "jpeg",
    [grey_below(30), grey_below(95), JPEG + b"what a telephone appends"],
    ids=["grey below", "grey below, fine", "something after its end"],
)
def test_a_sound_jpeg_is_not_taken_for_a_cut_one(tmp_path: Path, jpeg: bytes) -> None:
    (tmp_path / "1.jpg").write_bytes(jpeg)
    assert read_image(tmp_path / "1.jpg", LIMITS).shape == (64, 64, 3)


@pytest.mark.parametrize(
    ("written", "expected"),
    [("1.0000001", 1.0), (np.float32(-1) - np.float32(1e-7), -1.0), (np.nextafter(np.float32(-2), 0), np.nan)],
)
def test_what_rounding_makes_of_the_bounds_is_taken_for_them(tmp_path: Path, written: object, expected: float) -> None:
    write_labels(tmp_path, "1", 0)
    np.save(tmp_path / "annotations" / "1_val.npy", np.array(written))
    assert read_labels(tmp_path, "1").valence == pytest.approx(expected, abs=0, nan_ok=True)


def test_damaged_exif_drops_the_image(tmp_path: Path) -> None:
    # Orientation 6, and a rational number under a tag (Model) that holds text.
    entries = struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0) + struct.pack(">HHII", 0x0110, 5, 1, 38)
    exif = b"Exif\0\0MM\0\x2a\0\0\0\x08" + struct.pack(">H", 2) + entries + bytes(4) + struct.pack(">II", 1, 2)
    picture("exif").save(tmp_path / "1.jpg", exif=exif)
    with pytest.raises(UnusableImageError) as refusal:
        read_image(tmp_path / "1.jpg", LIMITS)
    assert refusal.value.reason == "image_unreadable"


def test_long_strip_does_not_take_the_memory_of_its_square() -> None:
    strip = np.full((1, 1_000_000, 3), 200, dtype=np.uint8)
    assert letterbox(strip, 64).shape == (64, 64, 3)


def test_files_that_macos_leaves_beside_others_are_passed_over(workspace: Workspace) -> None:
    write_faces(workspace)
    for folder in ("images", "annotations"):
        for file in list((workspace.raw / folder).iterdir()):
            file.with_name(f"._{file.name}").write_bytes(b"\0\5\x16\7\0\2\0\0Mac OS X        " + bytes(98))
    write_face(workspace.raw, "._really_a_face", 0)
    result = workspace.run_script("prepare")
    assert (result.returncode, result.stderr) == (0, "")
    assert workspace.read_metrics("prepare")["dropped"] == {"total": 0}
    assert set(workspace.read_split()) == {*map(str, range(10)), "._really_a_face"}


@pytest.mark.parametrize(("image", "labels"), [("NFD", "NFC"), ("NFC", "NFD"), ("NFD", "NFD"), (None, None)])
def test_a_name_is_one_however_its_accents_are_stored(workspace: Workspace, image: Form, labels: Form) -> None:
    # The last two are in neither form: the sign for angstrom, and an accent that is composed beside one that is not.
    names = ["Zo\u00eb", "\u00e9t\u00e9", "\ud55c\uae00", "\u212b", "\u00e9tre\u0301"]
    for name in names:
        write_image(workspace.raw, unicodedata.normalize(image, name) if image else name)
        write_labels(workspace.raw, unicodedata.normalize(labels, name) if labels else name, 0, 0.5)
    assert workspace.run_script("prepare").returncode == 0
    assert set(workspace.read_split()) == {unicodedata.normalize("NFC", name) for name in names}
    assert workspace.read_metrics("prepare")["valence"]["annotated_share"] == 1


# The dataset is at fault: the stage stops.


def assert_refusal(line: str, *named: str) -> None:
    assert len(line.splitlines()) == 1, line
    assert "Traceback" not in line
    for part in named:
        assert part in line


def assert_stopped(workspace: Workspace, *named: str) -> None:
    """Run `prepare` as a user does: exit code 1, one line on standard error, nothing prepared."""
    result = workspace.run_script("prepare")
    assert result.returncode == 1
    assert_refusal(result.stderr, "prepare: ", *named)
    assert not (workspace.folder / "data" / "prepared").exists()


def test_unprintable_file_name_drops_the_image(workspace: Workspace) -> None:
    for id in (1, 2, 3, "with space and 'quote'"):
        write_face(workspace.raw, id, 0)
    names = ("new\nline", os.fsdecode(b"latin1-\xe9"))
    for name in names:
        write_face(workspace.raw, "face", 0)
        (workspace.raw / "images" / "face.jpg").rename(workspace.raw / "images" / f"{name}.jpg")
        (workspace.raw / "annotations" / "face_exp.npy").rename(workspace.raw / "annotations" / f"{name}_exp.npy")
    workspace.set_params(**{"data.max_dropped": 0.5})
    result = workspace.run_script("prepare")
    assert result.returncode == 0, result.stderr
    assert workspace.read_dropped()["reason"].tolist() == ["name_unprintable"] * len(names)
    assert workspace.read_metrics("prepare")["used"] == 4


def test_missing_folder_stops(workspace: Workspace) -> None:
    assert_stopped(workspace, "data.raw", "data/faces is not a folder", "data/README.md")


def other_ending_alone(raw: Path) -> None:
    write_labels(raw, "x", 0)
    (raw / "images").mkdir()
    picture("x").save(raw / "images" / "x.tiff")


def empty_folders(raw: Path) -> None:
    for name in ("images", "annotations"):
        (raw / name).mkdir(parents=True)


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda raw: raw.mkdir(), "data/faces/images"),
        (lambda raw: (raw / "annotations").mkdir(parents=True), "data/faces/images"),
        (lambda raw: write_image(raw, 1), "data/faces/annotations"),
        (
            lambda raw: [(raw / name).mkdir(parents=True) for name in ("images", "annotations")],
            ".jpg, .jpeg, .jfif, .png",
        ),
        (lambda raw: raw.write_text("a file"), "data/faces is not a folder"),
        (lambda raw: [(raw / name).mkdir(parents=True) for name in ("train_set", "val_set")], "train_set/images"),
        (other_ending_alone, "but 'x.tiff'"),
    ],
    ids=["empty", "without images/", "without annotations/", "images/ empty", "a file", "AffectNet's two", "TIFF"],
)
def test_folder_of_another_layout_stops(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, make: Write, named: str
) -> None:
    workspace.raw.parent.mkdir()
    make(workspace.raw)
    assert_refusal(refuse(workspace, monkeypatch, prepare.main), "data.raw", named)


def write_faces(workspace: Workspace, count: int = 10) -> None:
    for id in range(count):
        write_face(workspace.raw, id, 0)


def test_more_faults_than_allowed_stop_and_leave_the_list(workspace: Workspace) -> None:
    write_faces(workspace)
    for id in ("3", "4"):
        (workspace.raw / "images" / f"{id}.jpg").write_bytes(b"")
    workspace.set_params(**{"data.max_dropped": 0.1})
    assert_stopped(workspace, "2 of 10", "data.max_dropped (0.1)", "3.jpg", "metrics/dropped.csv")
    assert workspace.read_dropped()["reason"].to_dict() == {"3": "image_unreadable", "4": "image_unreadable"}


def test_faults_up_to_the_share_and_unclear_expressions_do_not_stop(workspace: Workspace) -> None:
    write_faces(workspace)
    (workspace.raw / "images" / "3.jpg").write_bytes(b"")
    for id in (4, 5, 6):
        write_labels(workspace.raw, id, 9)
    workspace.set_params(**{"data.max_dropped": 0.1})
    assert workspace.run_script("prepare").returncode == 0
    assert workspace.read_metrics("prepare")["dropped"] == {
        "total": 4,
        "expression_uncertain": 3,
        "image_unreadable": 1,
    }


def test_dataset_without_a_usable_image_stops(workspace: Workspace) -> None:
    for id in range(4):
        write_face(workspace.raw, id, 9)
    assert_stopped(workspace, "train split is empty with 0 images")


def test_sample_larger_than_the_dataset_stops(workspace: Workspace) -> None:
    write_faces(workspace)
    workspace.set_params(**{"data.sample_size": 11})
    assert_stopped(workspace, "data.sample_size is 11", "only 10 images", "null takes them all")


# A parameter is at fault: whatever stage runs first stops.

WRONG_VALUES: list[tuple[str, object, str]] = [
    ("data.val_fraction", 1.5, "1.5, but should be less than 1"),
    ("data.val_fraction", 0, "0, but should be greater than 0"),
    ("data.val_fraction", "0.2", "'0.2', but should be a valid number"),
    ("data.test_fraction", 0.8, "0.8, but should be less than 1 together with data.val_fraction (0.2)"),
    ("data.image_size", 8, "8, but should be greater than or equal to 32"),
    ("data.image_size", 112.5, "112.5, but should be a valid integer"),
    ("data.image_size", True, "True, but should be a valid integer"),
    ("data.sample_size", 0, "0, but should be greater than or equal to 1"),
    ("data.max_dropped", 2.0, "2.0, but should be less than or equal to 1"),
    ("data.seed", None, "None, but should be a valid integer"),
    ("data.raw", None, "None, but should be a valid string"),
    ("data.split_file", "splits.csv", "'splits.csv', but should be a file in data/splits"),
    ("data.split_file", "data/splits/../x.csv", "'data/splits/../x.csv', but should be a file in data/splits"),
    ("data.layout", "album", "'album', but should be 'affectnet', 'affectnet_csv'"),
    ("data.columns", ["picture:file"], "['picture:file'], but should be a list of entries OURS:THEIRS"),
    ("data.columns", ["path:"], "['path:'], but should be a list of entries OURS:THEIRS"),
    ("data.va_range", [1.0, -1.0], "[1.0, -1.0], but should be the lowest value and then the highest"),
    ("data.va_range", [1.0], "[1.0], but should have at least 2 items"),
    ("data.votes", "all", "'all', but should be 'majority' or 'soft'"),
    ("data.person", "(", "'(', but should be a regular expression"),
    ("data.person", 0, "0, but should be a folder's level from 1, or from -1"),
    ("data.align", "nose", "'nose', but should be 'none' or 'eyes'"),
    ("data.folds", 1, "1, but should be greater than or equal to 2"),
    ("data.fold", 0, "0, but should be greater than or equal to 1"),
    ("data.train_fraction", 0, "0, but should be greater than 0"),
    ("train.learning_rate", float("nan"), "nan, but should be a finite number"),
    ("train.class_weight", "balance", "'balance', but should be 'none' or 'balanced'"),
    ("train.warm_up", 0.1, "0.1, but should be 0 where train.schedule is plateau"),
    ("train.sampling", "even", "'even', but should be 'natural', 'sqrt' or 'balanced'"),
    ("train.weight_averaging", 1.0, "1.0, but should be less than 1"),
    ("train.va_loss", "mae", "'mae', but should be 'mse', 'ccc' or 'both'"),
    ("augment.erase", 1.5, "1.5, but should be less than or equal to 1"),
    ("model.weights", "models/vit.keras", "'models/vit.keras', but should be a file in data/weights/NAME, whose"),
    (
        "model.weights",
        "/x/vit.weights.h5",
        "'/x/vit.weights.h5', but should be a file in data/weights/NAME, whose changes DVC notices and which training "
        "doesn't empty, with the network's NAME; copy it, `cp /x/vit.weights.h5 data/weights/vit/start.weights.h5`",
    ),
    ("model.fine_tune_layers", "top", "'top', but should be a number of layers from 0, or all"),
    ("train.loss_weights.valence", -1.0, "-1.0, but should be greater than or equal to 0"),
    ("train", 5, "5, but should be a valid dictionary"),
    ("model.pooling", "max", "'max', but should be 'average' or 'attention'"),
    ("backbones", "resnet50", "'resnet50', but should be a valid list"),
    ("backbones", ["resnet50", "resnet50"], "['resnet50', 'resnet50'], but should be each backbone once"),
    ("backbones", [], "[], but should"),
]


@pytest.mark.parametrize(("name", "value", "message"), WRONG_VALUES, ids=lambda value: str(value)[:30])
def test_wrong_value_stops(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, name: str, value: object, message: str
) -> None:
    write_face(workspace.raw, 1, 0)
    workspace.set_params(**{name: value})
    assert_refusal(refuse(workspace, monkeypatch, prepare.main), "params.yaml", f"{name} is {message}")


def test_wrong_value_stops_the_command(workspace: Workspace) -> None:
    workspace.set_params(**{"data.val_fraction": 1.5, "backbones": ["resnet51"]})
    assert_stopped(
        workspace,
        "data.val_fraction is 1.5",
        "less than 1",
        "backbones.0 is 'resnet51'",
        "'resnet50', 'efficientnetb1'",
    )


def test_missing_and_misspelt_parameters_stop(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    text = workspace.params.read_text()
    workspace.params.write_text(re.sub(r"^  min_side:", "  min_sides:", text, flags=re.MULTILINE))
    line = refuse(workspace, monkeypatch, prepare.main)
    assert_refusal(line, "data.min_side is missing", "data.min_sides is not a parameter (misspelt?)")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("data: [1,\n", "not valid YAML"),
        ("data:\n\traw: x\n", "not valid YAML"),
        ("data: *nowhere\n", "not valid YAML"),
        ("data: {raw: 2024-13-45}\n", "not valid YAML"),
        ("data: \xe9\n", "not valid YAML"),
        ("", "holds no parameters"),
        ("- data\n", "holds no parameters"),
        (None, "cannot be read (No such file or directory)"),
    ],
    ids=["unclosed", "tab", "alias", "impossible date", "not UTF-8", "empty", "a list", "no file"],
)
def test_params_file_that_is_no_yaml_mapping_stops(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, text: str | None, message: str
) -> None:
    workspace.params.unlink()
    if text is not None:
        workspace.params.write_text(text, encoding="latin-1")
    assert_refusal(refuse(workspace, monkeypatch, prepare.main), "params.yaml", message)


SPLIT_FILE = "data/splits/mine.csv"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (None, ["No such file"]),
        ("", ["can't be read"]),
        ("name,side\n1,train\n", ["name, side", "needs id and split"]),
        ("id,split\n1,trian\n", ["'trian'", "train, val or test"]),
        ("id,split\n1\n", ["train, val or test"]),
        ("id,split\n1,train\n1,val\n", ["the id 1 twice"]),
        ("id,split\n1,train\n2,val,x,y\n", ["line 3"]),
    ],
    ids=["no file", "empty", "bad header", "unknown split", "no split", "id twice", "ragged"],
)
def test_faulty_split_file_stops(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, text: str | None, named: list[str]
) -> None:
    write_face(workspace.raw, 1, 0)
    workspace.set_params(**{"data.split_file": SPLIT_FILE})
    if text is not None:
        file = workspace.folder / SPLIT_FILE
        file.parent.mkdir()
        file.write_text(text)
    assert_refusal(refuse(workspace, monkeypatch, prepare.main), "data.split_file", SPLIT_FILE, *named)


def test_images_that_the_split_file_leaves_out_are_dropped(workspace: Workspace) -> None:
    write_faces(workspace, 3)
    workspace.set_params(**{"data.split_file": SPLIT_FILE, "data.max_dropped": 0.0})
    file = workspace.folder / SPLIT_FILE
    file.parent.mkdir()
    file.write_text("id,split\n0,train\n2,val\nnowhere,val\n")
    assert workspace.run_script("prepare").returncode == 0
    assert workspace.read_dropped()["reason"].to_dict() == {"1": "not_in_split_file"}
    assert workspace.read_metrics("prepare")["used"] == 2


# The stages that import TensorFlow.


@pytest.mark.parametrize("stage", ["augment", "train", "evaluate"])
def test_every_stage_refuses_a_wrong_parameter(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    workspace.set_params(backbones=[])
    monkeypatch.setattr("sys.argv", [f"{stage}.py", "resnet50"])
    line = refuse(workspace, monkeypatch, importlib.import_module(stage).main)
    assert_refusal(line, f"{stage}: params.yaml: backbones is []")


def test_stage_with_tensorflow_stops_with_one_line(workspace: Workspace) -> None:
    workspace.set_params(backbones=[])
    result = workspace.run_script("evaluate")
    assert result.returncode == 1
    assert_refusal(result.stderr, "evaluate: params.yaml: backbones is []")


def build(weights: Path) -> None:
    import keras  # noqa: PLC0415, it takes seconds, which the other tests need not wait for

    from affect.models.backbones import build_backbone  # noqa: PLC0415

    build_backbone("efficientnetb1", keras.Input((32, 32, 3)), str(weights))


def test_weights_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refusal:
        build(tmp_path)
    assert_refusal(
        str(refusal.value), "model.weights", str(tmp_path / "efficientnetb1" / "backbone.weights.h5"), "is missing"
    )


def test_damaged_weights_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "efficientnetb1" / "backbone.weights.h5"
    file.parent.mkdir()
    file.write_bytes(b"\x89HDF\r\n\x1a\n cut short")
    with pytest.raises(InputError) as refusal:
        build(tmp_path)
    assert_refusal(str(refusal.value), "model.weights", str(file), "does not hold the weights")
