"""FER2013's CSV as Kaggle has it, in both forms, and FERPlus's votes beside it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from opening import LIMITS, find_reasons, open_dataset, read_all

from affect.core.labels import EXPRESSIONS
from affect.data.images.reading import ImageLimits, UnusableImageError
from affect.data.layouts.registry import find_layouts
from affect.plumbing.errors import InputError

FERPLUS = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF"
USAGES = ("Training", "PublicTest", "PrivateTest")


def pixels(seed: int, side: int = 48) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side), dtype=np.uint8)


def text(seed: int) -> str:
    return " ".join(map(str, pixels(seed).ravel()))


def write_fer2013(raw: Path, emotions: Sequence[object]) -> None:
    rows = [f"{emotion},{text(row)},{USAGES[row % 3]}" for row, emotion in enumerate(emotions)]
    (raw / "fer2013.csv").write_text("\n".join(["emotion,pixels,Usage", *rows]) + "\n")


def write_votes(raw: Path, *votes: str) -> None:
    rows = [f"{USAGES[row % 3]},fer{row:07}.png,{cast}" for row, cast in enumerate(votes)]
    (raw / "fer2013new.csv").write_text("\n".join([FERPLUS, *rows]) + "\n")


def test_each_label_split_and_picture_is_read(tmp_path: Path) -> None:
    write_fer2013(tmp_path, range(7))
    opened, items = open_dataset(tmp_path, "fer2013")
    names = [EXPRESSIONS[opened.read_labels(item).expression] for item in items.values()]
    assert names == ["anger", "disgust", "fear", "happy", "sad", "surprise", "neutral"]
    assert list(items) == [str(row) for row in range(7)]
    assert [item.split for item in items.values()] == ["train", "val", "test", "train", "val", "test", "train"]
    for row, item in enumerate(items.values()):
        np.testing.assert_array_equal(opened.read_picture(item, LIMITS), pixels(row)[..., None].repeat(3, axis=2))


@pytest.mark.parametrize(
    ("header", "line", "end"),
    [
        ("emotion, Usage, pixels", "3, PublicTest,{}", "\n"),
        ("emotion, pixels, Usage", '"3", "{}" ,"PublicTest"', "\r\n"),
        ("\ufeffUsage,pixels,emotion", 'PublicTest,"{}",3', "\n\n"),
        ('"Emotion","Usage","Pixels"', "3,publictest, {}", "\n"),
    ],
    ids=["icml_face_data.csv", "quoted", "BOM and blank lines", "capitals"],
)
def test_both_forms_of_the_file_are_read(tmp_path: Path, header: str, line: str, end: str) -> None:
    (tmp_path / "faces.csv").write_text(
        end.join([header, line.format(text(0)), line.format(text(1))]) + end, newline=""
    )
    assert find_layouts(tmp_path) == ["fer2013"]
    opened, items = open_dataset(tmp_path, "fer2013")
    for row, item in enumerate(items.values()):
        assert (item.id, item.split, opened.read_labels(item).expression) == (str(row), "val", 1)
        np.testing.assert_array_equal(opened.read_picture(item, LIMITS)[..., 0], pixels(row))


@pytest.mark.parametrize(
    ("row", "reason", "detail"),
    [
        (f"7,{text(0)},Training", "expression_out_of_range", "emotion of row 0 is '7', not 0 to 6"),
        (f",{text(0)},Training", "expression_out_of_range", "emotion of row 0 is ''"),
        ("0,1 2 3,Training", "image_unreadable", "pixels of row 0 are no square of numbers"),
        (f"0,{text(0)[:-4]} 256,Training", "image_unreadable", "no square of numbers, 0 to 255"),
        (f"0,{text(0)[:-4]} 1.5,Training", "image_unreadable", "no square"),
        ("0,-1,Training", "image_unreadable", "no square"),
        ("0,99999999999999999999999,Training", "image_unreadable", "no square"),
        ("0,0 0 0 0,Training", "image_too_small", "row 0 is 2x2"),
        ("0,,Training", "image_too_small", "row 0 is 0x0"),
    ],
)
def test_a_faulty_row_drops_its_picture(tmp_path: Path, row: str, reason: str, detail: str) -> None:
    (tmp_path / "fer2013.csv").write_text(f"emotion,pixels,Usage\n{row}\n")
    ((found, told),) = find_reasons(tmp_path, "fer2013").values()
    assert found == reason
    assert detail in told


def test_too_many_pixels_are_refused_before_they_are_read(tmp_path: Path) -> None:
    write_fer2013(tmp_path, [0])
    opened, items = open_dataset(tmp_path, "fer2013")
    with pytest.raises(UnusableImageError, match="image_too_large"):
        opened.read_picture(items["0"], ImageLimits(1, 1000))


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("emotion,pixels\n0,1 2 3\n", "needs one CSV with the columns emotion, pixels and Usage, but has none"),
        (f"emotion,pixels,Usage\n0,{text(0)},Training\n0,{text(0)}\n", "row 1 has 2 of 3 columns"),
        (f'emotion,pixels,Usage\n0,{text(0)},"Training, all"\n', "row 0 has 4 of 3 columns"),
        (f"emotion,pixels,Usage\n0,{text(0)},Train\n", "Usage of row 0 is 'Train', not Training, PublicTest or Pri"),
        ("emotion,pixels,Usage\n", "fer2013.csv: has no rows"),
        ("", "has none"),
    ],
)
def test_another_csv_is_refused(tmp_path: Path, content: str, named: str) -> None:
    (tmp_path / "fer2013.csv").write_text(content)
    with pytest.raises(InputError, match=named):
        open_dataset(tmp_path, "fer2013")


def test_one_of_two_files_is_named(tmp_path: Path) -> None:
    write_fer2013(tmp_path, [0])
    (tmp_path / "icml_face_data.csv").write_text(f"emotion, Usage, pixels\n3, Training,{text(5)}\n")
    with pytest.raises(InputError, match=r"but has fer2013\.csv, icml_face_data\.csv; name one with -S data\.table="):
        open_dataset(tmp_path, "fer2013")
    with pytest.raises(InputError, match=r"but has fer2013\.csv, .*; name one with -S data\.table=fer2013\.csv"):
        open_dataset(tmp_path, "fer2013", table="nope.csv")
    assert read_all(tmp_path, "fer2013", table="icml_face_data.csv")["0"].expression == 1


# FERPlus, by the rule of the code that its authors published: a single vote is none; soft labels take the most voted up
# to three quarters of the votes, three expressions at most, and nothing where that is no more than half of them.


@pytest.mark.parametrize(
    ("votes", "majority", "soft"),
    [
        ("4,0,0,0,3,3,0,0,0,0", None, {"neutral": 0.4, "anger": 0.3, "disgust": 0.3}),
        ("4,0,0,1,3,2,0,0,0,0", None, {"neutral": 4 / 7, "anger": 3 / 7}),
        ("6,0,0,3,0,0,0,0,1,0", "neutral", {"neutral": 6 / 9, "sad": 3 / 9}),
        ("0,10,0,0,0,0,0,0,0,0", "happy", {"happy": 1}),
        ("0,9,1,0,0,0,0,0,0,0", "happy", {"happy": 1}),
        ("8,2,0,0,0,0,0,0,0,0", "neutral", {"neutral": 1}),
        ("0,0,5,0,0,0,5,0,0,0", None, {"surprise": 0.5, "fear": 0.5}),
        ("0,0,5,0,0,0,3,0,2,0", None, {"surprise": 5 / 8, "fear": 3 / 8}),
        ("0,0,6,0,0,0,0,0,4,0", "surprise", {"surprise": 1}),
        ("0,0,5,0,0,0,0,0,5,0", None, None),
        ("0,0,0,0,3,0,0,0,7,0", None, None),
        ("2,2,2,2,2,0,0,0,0,0", None, None),
        ("1,1,1,1,1,1,1,1,1,1", None, None),
        ("0,0,0,0,0,0,0,0,0,10", None, None),
        ("0,0,0,0,0,0,0,6,4,0", "contempt", {"contempt": 1}),
    ],
)
def test_votes_count_as_their_authors_count_them(
    tmp_path: Path, votes: str, majority: str | None, soft: dict[str, float] | None
) -> None:
    write_fer2013(tmp_path, [0])
    write_votes(tmp_path, votes)
    for rule, expected in (("majority", {majority: 1.0} if majority else None), ("soft", soft)):
        if expected is None:
            ((reason, detail),) = find_reasons(tmp_path, "fer2013", votes=rule).values()
            no_face = votes.endswith(",10")
            assert reason == ("expression_no_face" if no_face else "expression_uncertain")
            assert detail == f"FERPlus's votes on row 0 are for {'no face' if no_face else 'unknown'}"
            continue
        label = read_all(tmp_path, "fer2013", votes=rule)["0"]
        assert EXPRESSIONS[label.expression] == max(expected, key=lambda name: expected[name])
        if rule == "soft":
            assert label.votes is not None
            assert dict(zip(EXPRESSIONS, label.votes, strict=True)) == pytest.approx(
                dict.fromkeys(EXPRESSIONS, 0.0) | expected, abs=1e-6
            )
        else:
            assert label.votes is None


def test_votes_of_other_rows_are_refused(tmp_path: Path) -> None:
    write_fer2013(tmp_path, [0, 0])
    with pytest.raises(InputError, match=r"data\.votes: .* needs one CSV with FERPlus's neutral, .*NF, but has 0"):
        open_dataset(tmp_path, "fer2013", votes="soft")
    write_votes(tmp_path, "10,0,0,0,0,0,0,0,0,0")
    with pytest.raises(InputError, match=r"fer2013new\.csv has 1 rows, but .*fer2013\.csv has 2"):
        open_dataset(tmp_path, "fer2013", votes="soft")
    (tmp_path / "fer2013new.csv").write_text(
        f"{FERPLUS}\nPublicTest,a.png,10,0,0,0,0,0,0,0,0,0\nTraining,b.png,10,0,0,0,0,0,0,0,0,0\n"
    )
    with pytest.raises(InputError, match=r"fer2013new\.csv and .*fer2013\.csv differ in the Usage of row 0"):
        open_dataset(tmp_path, "fer2013", votes="soft")
    write_votes(tmp_path, "10,0,0,0,0,0,0,0,0,0", "ten,0,0,0,0,0,0,0,0,0")
    with pytest.raises(InputError, match=r"fer2013new\.csv: a number of votes is none .*ten"):
        open_dataset(tmp_path, "fer2013", votes="soft")
