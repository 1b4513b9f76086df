"""Predictions for each face of a picture, one way for a single one and for thousands."""

from collections import deque
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import joblib
import numpy as np
import pandas as pd

from affect.core.labels import EXPRESSIONS
from affect.core.predictions import PREDICTED
from affect.inference.detection import FaceDetector
from affect.inference.faces import SquareFace, cut_faces
from affect.inference.tables import Row
from affect.models import backend
from affect.models.predictors import open_predictor

POINTS = ("left_eye", "right_eye", "nose", "left_mouth", "right_mouth")
BOX = ["left", "top", "width", "height"]
LANDMARKS = [f"{point}_{axis}" for point in POINTS for axis in "xy"]
FACE_COLUMNS = ["face", "cropped", *PREDICTED, "score", *BOX, *LANDMARKS]
# A batch ends after each so many pictures, however few faces they have.
BLOCK = 64
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
        return pd.DataFrame(self.find_and_predict(image), columns=FACE_COLUMNS)

    def find_and_predict(self, image: np.ndarray, whole: bool = True) -> list[Row]:
        """Return the rows of one picture, at once. whole: as in `cut_faces`. Raises ValueError for what is none."""
        if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or not image.size:
            raise ValueError(f"not a (height, width, 3) uint8 picture, but {image.shape} of {image.dtype}")
        (_, rows), *_ = self._predict_cut([(None, cut_faces(image, self.network.image_size, self.detector, whole))])
        return rows

    def predict_each(
        self, pictures: Iterable[tuple[Source, np.ndarray]], whole: bool = True
    ) -> Iterator[tuple[Source, list[Row]]]:
        """Yield what each picture comes from and the rows of its faces, in order.

        Pictures are read ahead, their faces found by a thread for each core, and predicted in batches. In another batch
        a face may differ in the last digit: who goes on after a whole number of BLOCK pictures has the same batches.
        """
        waiting: list[tuple[Source, list[SquareFace]]] = []
        for number, cut in enumerate(self._cut_each(pictures, whole), 1):
            waiting.append(cut)
            if number % BLOCK == 0 or sum(len(faces) for _, faces in waiting) >= self.batch_size:
                yield from self._predict_cut(waiting)
                waiting = []
        yield from self._predict_cut(waiting)

    def _cut_each(
        self, pictures: Iterable[tuple[Source, np.ndarray]], whole: bool
    ) -> Iterator[tuple[Source, list[SquareFace]]]:
        ahead: deque[tuple[Source, Future[list[SquareFace]]]] = deque()
        with ThreadPoolExecutor(joblib.cpu_count()) as threads:
            for source, image in pictures:
                if len(ahead) == 2 * joblib.cpu_count():
                    first, faces = ahead.popleft()
                    yield first, faces.result()
                cut = threads.submit(cut_faces, image, self.network.image_size, self.detector, whole)
                ahead.append((source, cut))
            for source, faces in ahead:
                yield source, faces.result()

    def _predict_cut(self, cut: Sequence[tuple[Source, Sequence[SquareFace]]]) -> Iterator[tuple[Source, list[Row]]]:
        pixels = [face.pixels for _, faces in cut for face in faces]
        starts = range(0, len(pixels), self.batch_size)
        batches = (np.stack(pixels[start : start + self.batch_size]) for start in starts)
        table = self.network.predict(batches, self.mirror) if pixels else pd.DataFrame(columns=PREDICTED)
        predicted = iter(table.to_dict("records"))
        for source, faces in cut:
            rows = [_to_row(number, face, next(predicted)) for number, face in enumerate(faces, 1)]
            yield source, rows or [{"face": 0}]


def _to_row(number: int, face: SquareFace, predicted: Mapping[Hashable, Any]) -> Row:
    """Return what stands in the columns of FACE_COLUMNS, those apart that are unknown."""
    row: Row = {"face": number, "cropped": face.cropped} | {str(name): value for name, value in predicted.items()}
    row["predicted_expression"] = EXPRESSIONS[row["predicted_expression"]]
    if face.found is not None:
        places = np.array([face.found.score, *face.found.box, *face.found.landmarks.ravel()]).round(_DECIMALS)
        row |= dict(zip(["score", *BOX, *LANDMARKS], places.tolist(), strict=True))
    return row
