"""Predictions for each face of a picture, one way for a single one and for thousands."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np
import pandas as pd

from affect.core.labels import EXPRESSIONS
from affect.core.predictions import PREDICTED
from affect.inference.detection import FaceDetector
from affect.inference.faces import SquareFace, cut_faces
from affect.models import backend
from affect.models.predictors import open_predictor

POINTS = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")
BOX = ["left", "top", "width", "height"]
LANDMARKS = [f"{point}_{axis}" for point in POINTS for axis in "xy"]
FACE_COLUMNS = ["face", "cropped", *PREDICTED, "score", *BOX, *LANDMARKS]
# Of pixels, and of the detector's score.
_DECIMALS = 2

Source = TypeVar("Source")


class FacePredictor:
    """Finds the faces of photographs, and predicts the expression, valence and arousal of each.

    model: a .keras, .onnx or .tflite file. cropped: every picture is of one face already, and none is looked for.
    mirror: as `Predictor.predict` has it. Raises InputError as `open_predictor` and `FaceDetector` do.
    """

    def __init__(self, model: Path | str, cropped: bool = False, mirror: bool = False, batch_size: int = 64) -> None:
        self.detector = None if cropped else FaceDetector()
        backend.set_up()
        self.network = open_predictor(Path(model))
        self.mirror = mirror
        self.batch_size = batch_size

    def predict(self, image: np.ndarray) -> pd.DataFrame:
        """Predict the faces of a (height, width, 3) uint8 RGB picture: a row each, with the columns of FACE_COLUMNS.

        Faces are numbered from 1, from left to right; a picture without a face has one row of face 0.
        """
        return next(self.predict_each([("", image)]))[1]

    def predict_each(self, pictures: Iterable[tuple[Source, np.ndarray]]) -> Iterator[tuple[Source, pd.DataFrame]]:
        """Yield what each picture comes from and the table of its faces, in order; pictures share batches."""
        waiting: list[tuple[Source, list[SquareFace]]] = []
        for source, image in pictures:
            waiting.append((source, cut_faces(image, self.network.image_size, self.detector)))
            if sum(max(1, len(faces)) for _, faces in waiting) >= self.batch_size:
                yield from self._predict_waiting(waiting)
                waiting = []
        yield from self._predict_waiting(waiting)

    def _predict_waiting(
        self, waiting: Sequence[tuple[Source, list[SquareFace]]]
    ) -> Iterator[tuple[Source, pd.DataFrame]]:
        pixels = [face.pixels for _, faces in waiting for face in faces]
        starts = range(0, len(pixels), self.batch_size)
        batches = (np.stack(pixels[start : start + self.batch_size]) for start in starts)
        predicted = self.network.predict(batches, self.mirror) if pixels else pd.DataFrame(columns=PREDICTED)
        start = 0
        for source, faces in waiting:
            yield source, _tabulate(faces, predicted[start : start + len(faces)])
            start += len(faces)


def _tabulate(faces: Sequence[SquareFace], predicted: pd.DataFrame) -> pd.DataFrame:
    if not faces:
        return pd.DataFrame({"face": [0]}).reindex(columns=FACE_COLUMNS)
    table = predicted.reset_index(drop=True)
    table["predicted_expression"] = table["predicted_expression"].map(dict(enumerate(EXPRESSIONS)))
    table["face"] = np.arange(1, len(faces) + 1)
    table["cropped"] = [face.cropped for face in faces]
    places = [_place(face) for face in faces]
    table[["score", *BOX, *LANDMARKS]] = np.array(places).round(_DECIMALS)
    return table[FACE_COLUMNS]


def _place(face: SquareFace) -> list[float]:
    """Return the values of score, box and landmarks."""
    if face.found is None:
        return [np.nan] * (1 + len(BOX) + len(LANDMARKS))
    return [face.found.score, *face.found.box, *face.found.landmarks.ravel()]
