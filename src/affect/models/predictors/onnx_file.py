"""Predictions by ONNX Runtime."""

from concurrent.futures import ThreadPoolExecutor
from functools import cached_property, partial
from pathlib import Path

import joblib
import numpy as np
import onnxruntime
from onnxruntime.capi import onnxruntime_pybind11_state as errors

from affect.models.card import parse_export_card
from affect.models.predictors.predictor import ExportedPredictor, Outputs, join, require_file, require_images_to_tasks
from affect.plumbing.errors import InputError

# What ONNX Runtime raises for a file that it can't run; they have no base of their own.
_UNUSABLE = (
    *(errors.Fail, errors.InvalidArgument, errors.InvalidGraph, errors.InvalidProtobuf, errors.NoModel),
    *(errors.NoSuchFile, errors.NotImplemented, errors.RuntimeException),
)


class OnnxPredictor(ExportedPredictor):
    """An .onnx file that `src/export.py` has written."""

    def __init__(self, file: Path) -> None:
        self.file = file
        # A part of a batch on each core is faster than one part after the other on all cores.
        self.session = _open_session(file, threads=1)
        given, made = (
            {each.name: each.shape for each in side} for side in (self.session.get_inputs(), self.session.get_outputs())
        )
        self.image_size = require_images_to_tasks(given, made, file)
        self.exported = parse_export_card(self.session.get_modelmeta().custom_metadata_map, file)
        self.card = self.exported.model

    def run(self, batch: np.ndarray) -> Outputs:
        """Return the outputs of one batch."""
        if len(batch) == 1:
            return _run(self.on_all_cores, batch)
        parts = self.split(batch, at_least=joblib.cpu_count())
        return join(list(self.threads.map(partial(_run, self.session), parts)))

    @cached_property
    def on_all_cores(self) -> onnxruntime.InferenceSession:
        """What runs a single image."""
        return _open_session(self.file, joblib.cpu_count())

    @cached_property
    def threads(self) -> ThreadPoolExecutor:
        """What runs the parts of a batch at the same time."""
        return ThreadPoolExecutor(joblib.cpu_count())


def _run(session: onnxruntime.InferenceSession, batch: np.ndarray) -> Outputs:
    names = [output.name for output in session.get_outputs()]
    outputs = session.run(names, {"image": np.ascontiguousarray(batch, np.float32)})
    return dict(zip(names, outputs, strict=True))


def _open_session(file: Path, threads: int) -> onnxruntime.InferenceSession:
    require_file(file)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    try:
        return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    except _UNUSABLE as error:
        raise InputError(f"{file}: ONNX Runtime can't run it: {' '.join(str(error).split())}") from error
