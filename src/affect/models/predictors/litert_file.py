"""Predictions by LiteRT."""

from pathlib import Path

import joblib
import numpy as np
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from affect.models.backend import silent_native_code
from affect.models.card import parse_export_card
from affect.models.predictors.predictor import ExportedPredictor, Outputs, join, require_file, require_images_to_tasks
from affect.plumbing.errors import InputError


class LiteRTPredictor(ExportedPredictor):
    """A .tflite file that `src/export.py` has written."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.interpreter, metadata = _open(file)
        given, made = (
            {each["name"]: each["shape"].tolist() for each in side}
            for side in (self.interpreter.get_input_details(), self.interpreter.get_output_details())
        )
        self.image_size = require_images_to_tasks(given, made, file)
        self.exported = parse_export_card(metadata, file)
        self.card = self.exported.model

    def run(self, batch: np.ndarray) -> Outputs:
        """Return the outputs of one batch."""
        return join([self._run_part(part) for part in self.split(batch)])

    def _run_part(self, batch: np.ndarray) -> Outputs:
        (given,) = self.interpreter.get_input_details()
        if tuple(given["shape"]) != batch.shape:
            self.interpreter.resize_tensor_input(given["index"], batch.shape)
            self.interpreter.allocate_tensors()
        self.interpreter.set_tensor(given["index"], np.ascontiguousarray(batch, np.float32))
        self.interpreter.invoke()
        return {
            made["name"]: self.interpreter.get_tensor(made["index"]) for made in self.interpreter.get_output_details()
        }


def _open(file: Path) -> tuple[Interpreter, dict[str, str]]:
    """Return what runs the file, and the texts in its metadata."""
    require_file(file)
    content = file.read_bytes()
    try:
        # It tells of the kernels that it has.
        with silent_native_code():
            interpreter = Interpreter(model_content=content, num_threads=joblib.cpu_count())
            interpreter.allocate_tensors()
    except (ValueError, RuntimeError) as error:
        raise InputError(f"{file}: LiteRT can't run it: {' '.join(str(error).split())}") from error
    model = schema.Model.GetRootAs(content)
    entries = (model.Metadata(place) for place in range(model.MetadataLength()))
    buffers = {entry.Name().decode(): model.Buffers(entry.Buffer()) for entry in entries}
    texts = {name: buffer.DataAsNumpy().tobytes() for name, buffer in buffers.items() if buffer.DataLength()}
    return interpreter, {name: text.decode(errors="replace") for name, text in texts.items()}
