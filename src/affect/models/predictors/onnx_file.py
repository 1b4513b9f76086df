"""Predictions by ONNX Runtime."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
from onnxruntime.capi import onnxruntime_pybind11_state as errors

from affect.core.labels import EXPRESSIONS, TASKS
from affect.models.card import parse_export_card
from affect.models.predictors.predictor import Outputs, predict_all
from affect.plumbing.errors import InputError

# What ONNX Runtime raises for a file that it can't run; they have no base of their own.
_UNUSABLE = (
    *(errors.Fail, errors.InvalidArgument, errors.InvalidGraph, errors.InvalidProtobuf, errors.NoModel),
    *(errors.NoSuchFile, errors.NotImplemented, errors.RuntimeException),
)


class OnnxPredictor:
    """An .onnx file that `src/export.py` has written. mirror: as for a .keras file."""

    def __init__(self, file: Path, mirror: bool = False) -> None:
        self.file = file
        self.name = file.stem
        self.session = _open_session(file)
        self.image_size = _require_images_to_tasks(self.session, file)
        self.exported = parse_export_card(self.session.get_modelmeta().custom_metadata_map, file)
        self.card = self.exported.model
        self.mirror = mirror

    def predict(self, batches: Iterable[np.ndarray]) -> pd.DataFrame:
        """Predict batches of images."""
        return predict_all(self._run, batches, self.mirror)

    def size(self) -> dict[str, int | float]:
        """Return the parameters of the model that it was exported from, and the size of its own file."""
        return self.exported.parameters | {"size_mb": round(self.file.stat().st_size / 1e6, 1)}

    def _run(self, batch: np.ndarray) -> Outputs:
        names = [output.name for output in self.session.get_outputs()]
        outputs = self.session.run(names, {"image": np.ascontiguousarray(batch, np.float32)})
        return dict(zip(names, outputs, strict=True))


def _open_session(file: Path) -> onnxruntime.InferenceSession:
    if not file.is_file():
        raise InputError(f"{file}: no such model; write it with `python src/export.py`")
    try:
        return onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    except _UNUSABLE as error:
        raise InputError(f"{file}: ONNX Runtime can't run it: {' '.join(str(error).split())}") from error


def _require_images_to_tasks(session: onnxruntime.InferenceSession, file: Path) -> int:
    """Return the size of the images. Raises InputError for other inputs and outputs than an exported model's."""
    inputs = {given.name: given.shape for given in session.get_inputs()}
    outputs = {made.name: made.shape for made in session.get_outputs()}
    shape = inputs.get("image", [])
    fits = len(inputs) == 1 and len(shape) == 4 and shape[1] == shape[2] and shape[3] == 3
    if not fits or not set(outputs) <= set(TASKS) or outputs.get("emotion", [0])[-1] != len(EXPRESSIONS):
        raise InputError(
            f"{file}: not a model of this repository: it takes {', '.join(inputs)} and returns {', '.join(outputs)}"
        )
    return shape[1]
