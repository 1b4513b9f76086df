"""Each face of a picture has a row, whatever shares its batch; a cropped one is taken as training took it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from conftest import ROOT
from scenes import draw_scene
from tiny_network import SIZE, save_network

from affect.core.labels import EXPRESSIONS
from affect.data.images.cropping import letterbox
from affect.inference import FACE_COLUMNS, FacePredictor
from affect.inference.detection import FaceDetector
from affect.inference.faces import cut_faces
from affect.models.predictors import open_predictor
from affect.plumbing.params import load_params
from affect.synthetic.faces import render_face

SCENES = [[(20, 30, 120), (300, 60, 200)], [], [(0, 0, 480)], [(250, 200, 100)]]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_network(tmp_path_factory.mktemp("model") / "face.keras")


@pytest.fixture(scope="module")
def pictures() -> list[np.ndarray]:
    return [
        draw_scene(480 if (0, 0, 480) in places else 640, 480, places, first_id=8 * number).image
        for number, places in enumerate(SCENES)
    ]


def predict_all(model: Path, pictures: list[np.ndarray], batch_size: int) -> pd.DataFrame:
    predictor = FacePredictor(model, batch_size=batch_size)
    tables = list(predictor.predict_each(enumerate(pictures)))
    assert [source for source, _ in tables] == list(range(len(pictures)))
    rows = [row | {"picture": source} for source, faces in tables for row in faces]
    return pd.DataFrame(rows, columns=[*FACE_COLUMNS, "picture"])


def test_a_face_has_the_same_row_in_any_batch(model: Path, pictures: list[np.ndarray]) -> None:
    one, *others = (predict_all(model, pictures, batch_size) for batch_size in (1, 3, 64))
    assert list(one) == [*FACE_COLUMNS, "picture"]
    assert one[["picture", "face"]].to_numpy().tolist() == [[0, 1], [0, 2], [1, 0], [2, 1], [3, 1]]
    assert one["p_happy"].std() > 1e-3
    for other in others:
        pd.testing.assert_frame_equal(other, one, check_dtype=False, atol=1.5e-6, rtol=0)
    alone = FacePredictor(model)
    for number, picture in enumerate(pictures):
        expected = one[one["picture"] == number].drop(columns="picture").reset_index(drop=True)
        pd.testing.assert_frame_equal(alone.predict(picture), expected, check_dtype=False, atol=1.5e-6, rtol=0)


def test_of_a_video_a_face_that_fills_the_frame_is_cut_out_too(model: Path, pictures: list[np.ndarray]) -> None:
    (row,) = FacePredictor(model).find_and_predict(pictures[2], whole=False)
    assert not row["cropped"]


def test_a_picture_without_a_face_says_so(model: Path, pictures: list[np.ndarray]) -> None:
    (row,) = FacePredictor(model).predict(pictures[1]).to_dict("records")
    assert row.pop("face") == 0
    assert pd.isna(pd.Series(row)).all()


@pytest.mark.parametrize("cropped", [False, True])
def test_a_face_that_fills_the_picture_is_predicted_as_a_cropped_one(
    model: Path, pictures: list[np.ndarray], cropped: bool
) -> None:
    table = FacePredictor(model, cropped=cropped).predict(pictures[2])
    assert table["cropped"].tolist() == [True]
    assert table["score"].isna().all() == cropped
    expected = open_predictor(model).predict([letterbox(pictures[2], SIZE)[None]])
    columns = [name for name in expected if name != "predicted_expression"]
    np.testing.assert_array_equal(table[columns], expected[columns])


def test_what_is_cut_out_of_a_scene_is_the_face(pictures: list[np.ndarray]) -> None:
    faces = cut_faces(pictures[0], SIZE, FaceDetector())
    crops = [letterbox(pictures[0][top : top + side, left : left + side], SIZE) for left, top, side in SCENES[0]]
    likeness = [[np.corrcoef(face.pixels.ravel(), crop.ravel())[0, 1] for crop in crops] for face in faces]
    assert np.argmax(likeness, axis=1).tolist() == [0, 1]


def test_faces_of_the_sample_are_cropped_ones() -> None:
    """The first 200, so that their predictions are those of the evaluation, to the bit."""
    sample = load_params(ROOT / "params.yaml").sample
    detector = FaceDetector()
    for id in range(200):
        face = render_face(sample.seed, id, id % len(EXPRESSIONS), sample.size, sample.expressiveness)
        (cut,) = cut_faces(face.image, SIZE, detector)
        assert cut.cropped, id
        np.testing.assert_array_equal(cut.pixels, letterbox(face.image, SIZE))
