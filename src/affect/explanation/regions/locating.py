"""Where the landmarks of faces lie in the squares that a network took."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from affect.core.records import Records
from affect.explanation.regions.changed import find_rest
from affect.explanation.regions.division import complete_landmarks
from affect.explanation.regions.landmarks import Landmarks
from affect.inference.detection import FaceDetector
from affect.plumbing.params import Sample

DATASET, DETECTOR = "dataset", "detector"


@dataclass(frozen=True)
class LocatedFace:
    """Landmarks of a face, (68, 2) positions (x, y) in pixels of its square, and whether they are the dataset's or made
    of the detector's five. rest: where they would lie without the face's expression, 0-7; None where nobody knows."""

    points: np.ndarray
    source: str
    rest: np.ndarray | None = None
    expression: int | None = None


def locate(
    records: Records, rows: np.ndarray, landmarks: Mapping[str, Landmarks], drawn: Sample | None
) -> list[LocatedFace | None]:
    """Return the faces of rows of records; None where neither the dataset nor the detector has landmarks.

    landmarks: of the dataset, by id. drawn: how the dataset was drawn, where it is the sample.
    """
    detector = FaceDetector()
    located: list[LocatedFace | None] = []
    for row in rows:
        id, expression = records.index["id"][row], int(records.index["expression"][row])
        if known := landmarks.get(id):
            rest = known.map_to_square(find_rest(drawn, id, expression), records.size) if drawn else None
            located.append(LocatedFace(known.map_to_square(known.points, records.size), DATASET, rest, expression))
        elif found := detector.detect(records.images[row]):
            largest = max(found, key=lambda face: face.box.width)
            located.append(LocatedFace(complete_landmarks(largest.landmarks), DETECTOR))
        else:
            located.append(None)
    return located
