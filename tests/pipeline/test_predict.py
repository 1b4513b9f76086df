"""predict.py as a stranger uses it: what it reads, and that nothing that was there before is gone."""

import os
import shutil
import unicodedata
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import polars
import pytest
from conftest import KilledError, draw_picture, run_in_process, snapshot
from hypothesis import given, settings
from hypothesis import strategies as st
from occupied import OTHERS
from PIL import Image

import predict
from affect.core.labels import EXPRESSIONS
from affect.core.predictions import PROBABILITIES
from affect.inference import FacePredictor
from affect.models.predictors import KerasPredictor
from affect.models.predictors.predictor import Outputs

MODEL = "model.keras"
# Its pictures are of no faces.
run = partial(run_in_process, predict, "--cropped")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny model and pictures."""
    folder = tmp_path_factory.mktemp("predict")
    image = keras.Input((32, 32, 3))
    pooled = keras.layers.GlobalAveragePooling2D()(image)
    keras.Model(image, {"emotion": keras.layers.Dense(8, "softmax", name="emotion")(pooled)}).save(folder / MODEL)
    (folder / "faces" / "more").mkdir(parents=True)
    for name in ("1.jpg", "2.webp", "more/3.png"):
        Image.fromarray(draw_picture(name)).save(folder / "faces" / name)
    return folder


def must_not_load(*_: object) -> None:
    pytest.fail("the model is loaded")


def read(file: str = "p.csv") -> pd.DataFrame:
    return pd.read_csv(file, dtype={"id": str})


def test_folders_are_read_with_all_that_is_in_them(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "faces" / "notes.txt").write_text("no picture")
    (folder / "faces" / "._1.jpg").write_bytes(b"\0\5\x16\7" + bytes(100))
    (folder / "faces" / "linked").symlink_to(folder.parent)
    assert run(MODEL, "faces", "-o", "p.csv") is None
    assert read()["id"].tolist() == ["1", "2", "3"]
    output = capsys.readouterr()
    assert "passed over, neither picture nor video: 2, such as faces/linked" in output.err
    assert output.out.splitlines()[-1] == "predict: 3 faces in 3 pictures, in p.csv"


def test_a_picture_that_is_named_in_two_ways_is_one(folder: Path) -> None:
    assert run(MODEL, "faces/1.jpg", "faces/more/../1.jpg", "faces/../faces", "-o", "p.csv") is None
    assert read()["id"].tolist() == ["1", "2", "3"]


def test_the_expression_is_named(folder: Path) -> None:
    assert run(MODEL, "faces", "-o", "p.csv") is None
    table = read()
    highest = table[[f"p_{name}" for name in EXPRESSIONS]].to_numpy().argmax(axis=1)
    assert table["predicted_expression"].tolist() == [EXPRESSIONS[number] for number in highest]


def test_ids_are_those_of_the_dataset(folder: Path) -> None:
    shutil.move(folder / "faces" / "1.jpg", folder / "faces" / f"{unicodedata.normalize('NFD', 'Zoë')}.jpg")
    assert run(MODEL, "faces", "-o", "p.csv") is None
    assert "Zoë" in read()["id"].tolist()


@pytest.mark.parametrize("option", ["--batch-size", "--max-pixels"])
@pytest.mark.parametrize("value", ["0", "-3", "many"])
def test_a_number_below_1_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, option: str, value: str
) -> None:
    monkeypatch.setattr("sys.argv", ["predict.py", MODEL, "faces", "-o", "p.csv", option, value])
    with pytest.raises(SystemExit) as stopped:
        predict.main()
    assert stopped.value.code == 2
    assert option in capsys.readouterr().err
    assert not (folder / "p.csv").exists()


@pytest.mark.parametrize("kind", [*OTHERS, "file"])
def test_what_lies_at_the_output_stays_as_it_is(folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    (OTHERS | {"file": lambda path: path.write_text("years of work")})[kind](folder / "out.csv")
    before = snapshot(folder)
    monkeypatch.setattr(predict, "FacePredictor", must_not_load)
    line = run(MODEL, "faces", "-o", "out.csv")
    assert line is not None
    assert line.startswith("predict: out.csv is a")
    assert snapshot(folder) == before


@pytest.mark.parametrize(
    "output", ["faces", "faces/", ".", "..", "", "faces/1.jpg", MODEL, "faces/1.jpg/out.csv", "/dev/null", "x" * 300]
)
def test_no_output_path_costs_anything(folder: Path, monkeypatch: pytest.MonkeyPatch, output: str) -> None:
    before = snapshot(folder)
    device = Path("/dev/null").stat()
    monkeypatch.setattr(predict, "FacePredictor", must_not_load)
    assert run(MODEL, "faces", "-o", output) is not None
    assert snapshot(folder) == before
    assert Path("/dev/null").stat().st_ino == device.st_ino


@pytest.mark.parametrize(
    "output",
    ["out.csv", "new/folder/out.csv", "faces/out.csv", "a b.csv", "-", "名.csv", os.fsdecode(b"latin1-\xe9.csv")],
)
def test_a_new_name_is_written_beside_all_that_was_there(folder: Path, output: str) -> None:
    before = snapshot(folder)
    assert run(MODEL, "faces", f"--output={output}") is None
    after = snapshot(folder)
    assert before.items() <= after.items()
    assert {name for name in after.keys() - before.keys() if after[name] != "folder"} == {output}
    assert len(read(output)) == 3


PARTS = st.one_of(
    st.sampled_from(["faces", "more", ".", "~", "1.jpg", "out.csv"]),
    st.text(st.characters(codec="utf-8", exclude_categories=["Cc"], exclude_characters="/"), max_size=12),
)


@settings(max_examples=60, deadline=None)
@given(steps_up=st.integers(0, 2), parts=st.lists(PARTS, max_size=5), make=st.sampled_from([None, *OTHERS.values()]))
def test_whatever_the_output_nothing_is_gone(
    template: Path,
    tmp_path_factory: pytest.TempPathFactory,
    steps_up: int,
    parts: list[str],
    make: Callable[[Path], None] | None,
) -> None:
    outer = tmp_path_factory.mktemp("outputs")
    work = outer / "a" / "b"
    shutil.copytree(template, work)
    if make is not None:
        make(work / "out.csv")
    before = snapshot(outer)
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.chdir(work)
        # Names of two points would lead further up.
        line = run(MODEL, "faces", "-o", "/".join([".", *[".."] * steps_up, *(part for part in parts if part != "..")]))
    after = snapshot(outer)
    assert before.items() <= after.items()
    files = [name for name in after.keys() - before.keys() if after[name] != "folder"]
    assert len(files) == (line is None)


def test_a_name_of_two_lines_is_told_in_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(MODEL, "faces", "-o", "new\nline") is None
    assert capsys.readouterr().out.splitlines()[-1] == "predict: 3 faces in 3 pictures, in new\\nline"
    line = run(MODEL, "faces", "-o", "new\nline")
    assert line is not None
    assert line.startswith("predict: new\\nline is a file")


def test_no_image_is_lost_to_a_model_that_is_none(folder: Path) -> None:
    (folder / "bad.keras").write_text("no model")
    before = snapshot(folder)
    line = run("bad.keras", "faces", "-o", "p.csv")
    assert line is not None
    assert "bad.keras: not a model" in line
    assert snapshot(folder) == before


@pytest.mark.parametrize("name", ["model.h5", "model", "faces/1.jpg"])
def test_a_file_of_another_ending_is_refused_with_what_is_allowed(folder: Path, name: str) -> None:
    shutil.copy(folder / MODEL, folder / name)
    line = run(name, "faces", "-o", "p.csv")
    assert line == f"predict: {name}: not a model: its name should end in .keras or .onnx or .tflite"
    assert not (folder / "p.csv").exists()


def test_two_at_once_cost_neither_result(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another command, with --resume too, comes while this one predicts."""
    load = predict.FacePredictor
    lines: list[str | None] = []

    def load_slowly(*arguments: Any) -> FacePredictor:
        monkeypatch.setattr(predict, "FacePredictor", load)
        lines.extend(run(MODEL, "faces/1.jpg", "-o", "p.csv", *options) for options in ((), ("--resume",)))
        return load(*arguments)

    monkeypatch.setattr(predict, "FacePredictor", load_slowly)
    assert run(MODEL, "faces", "-o", "p.csv") is None
    assert lines[0] is not None
    assert lines[0].startswith("predict: p.csv is a file that is there already, and is left as it is; name a new file")
    assert lines[1] == "predict: p.csv: another command is writing it"
    assert len(read()) == 3


def test_the_images_are_read_in_batches(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    run_batch = KerasPredictor.run

    def run_and_count(predictor: KerasPredictor, batch: np.ndarray) -> Outputs:
        sizes.append(len(batch))
        return run_batch(predictor, batch)

    monkeypatch.setattr(KerasPredictor, "run", run_and_count)
    assert run(MODEL, "faces", "-o", "p.csv", "--batch-size", "2") is None
    assert sizes == [2, 1]
    assert np.isfinite(read()["p_neutral"]).all()


def test_what_cannot_be_read_is_told_at_the_end_too(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "faces" / "2b.jpg").write_text("no picture")
    line = run(MODEL, "faces", "-o", "p.csv")
    assert line == "predict: 1 of 4 pictures and videos could not be read whole, as said above"
    output = capsys.readouterr()
    assert "predict: faces/2b.jpg: skipped, 2b.jpg: cannot identify image file" in output.err
    assert output.out.splitlines()[-1] == "predict: 3 faces in 3 pictures, in p.csv"
    assert read()["id"].tolist() == ["1", "2", "3"]
    assert not (folder / "p.csv.unfinished").exists()


@pytest.mark.parametrize("output", ["p.csv", "p.parquet"])
def test_a_killed_run_leaves_its_rows_and_another_goes_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch, output: str
) -> None:
    assert run(MODEL, "faces", "-o", f"whole-{output}", "--batch-size", "1") is None
    load, predicted = KerasPredictor.run, 0

    def die_at_the_third(predictor: KerasPredictor, batch: np.ndarray) -> Outputs:
        nonlocal predicted
        predicted += 1
        if predicted == 3:
            raise KilledError
        return load(predictor, batch)

    with monkeypatch.context() as patched:
        patched.setattr(KerasPredictor, "run", die_at_the_third)
        with pytest.raises(KilledError):
            run(MODEL, "faces", "-o", output, "--batch-size", "1")
    rows = output if output == "p.csv" else f"{output}.rows.csv"
    assert read(rows)["id"].tolist() == ["1", "2"]
    line = run(MODEL, "faces", "-o", output)
    assert line is not None
    assert line.endswith("name a new file, or go on with it by --resume")
    line = run(MODEL, "faces", "-o", output, "--resume", "--mirror")
    assert line is not None
    assert "was begun with another model or other options" in line
    assert run(MODEL, "faces", "-o", output, "--resume", "--batch-size", "1") is None
    assert Path(output).read_bytes() == Path(f"whole-{output}").read_bytes()
    assert not [file for file in folder.glob("p.*") if file.name != output]
    line = run(MODEL, "faces", "-o", output, "--resume")
    assert line == f"predict: {output}: no run has left it unfinished; leave out --resume, and name a new file"


def test_parquet_has_what_csv_has(folder: Path) -> None:
    for output in ("p.csv", "p.parquet"):
        assert run(MODEL, "faces", "-o", output) is None
    table = polars.read_parquet("p.parquet")
    assert table.schema["cropped"] == polars.Boolean
    assert table.schema["face"] == polars.Int64
    assert table.schema["score"] == polars.Float64
    expected = read().astype({"id": str}).astype(object)
    assert table.to_dicts() == expected.where(expected.notna(), None).to_dict("records")


def test_with_mirror_a_face_and_its_mirror_image_are_predicted_the_same(folder: Path) -> None:
    keras.utils.set_random_seed(1)
    images = keras.Input((16, 16, 3))
    flat = keras.layers.Flatten()(keras.layers.Rescaling(1 / 255)(images))
    outputs = {
        "emotion": keras.layers.Dense(8, "softmax")(flat),
        "valence": keras.layers.Dense(1, "tanh")(flat),
        "arousal": keras.layers.Dense(1, "tanh")(flat),
    }
    keras.Model(images, outputs).save("uneven.keras")
    image = Image.open("faces/1.jpg")
    image.save("face.png")
    image.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save("mirrored.png")
    plain, mean = (predict_pair(*options) for options in ((), ("--mirror",)))
    assert np.abs(plain[0] - plain[1]).max() > 1e-3
    np.testing.assert_allclose(mean, [plain.mean(axis=0)] * 2, atol=2e-6)


def predict_pair(*options: str) -> np.ndarray:
    """Return the predicted numbers of face.png and mirrored.png."""
    output = f"pair{len(options)}.csv"
    assert run("uneven.keras", "face.png", "mirrored.png", "-o", output, *options) is None
    return read(output)[[*PROBABILITIES, "predicted_valence", "predicted_arousal"]].to_numpy()
