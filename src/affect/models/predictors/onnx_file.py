"""Predictions by ONNX Runtime."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
from onnxruntime.capi import onnxruntime_pybind11_state as errors

from affect.models.card import parse_export_card
from affect.models.predictors.predictor import Outputs, predict_all, require_images_to_tasks
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
        given, made = (
            {each.name: each.shape for each in side} for side in (self.session.get_inputs(), self.session.get_outputs())
        )
        self.image_size = require_images_to_tasks(given, made, file)
        self.exported = parse_export_card(self.session.get_modelmeta().custom_metadata_map, file)
        self.card = self.exported.model
        self.mirror = mirror

    def predict(self, batches: Iterable[np.ndarray]) -> pd.DataFrame:
        """Predict batches of images."""
        return predict_all(self.run, batches, self.mirror)

    def size(self) -> dict[str, int | float]:
        """Return the parameters of the model that it was exported from, and the size of its own file."""
        return self.exported.size(self.file)

    def run(self, batch: np.ndarray) -> Outputs:
        """Return the outputs of one batch."""
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
