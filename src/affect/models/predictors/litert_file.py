"""Predictions by LiteRT."""

from collections.abc import Iterable
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from affect.models.backend import silent_native_code
from affect.models.card import parse_export_card
from affect.models.predictors.predictor import Outputs, predict_all, require_images_to_tasks
from affect.plumbing.errors import InputError


class LiteRTPredictor:
    """A .tflite file that `src/export.py` has written. mirror: as for a .keras file."""

    def __init__(self, file: Path, mirror: bool = False) -> None:
        self.file = file
        self.name = file.stem
        self.interpreter, metadata = _open(file)
        given, made = (
            {each["name"]: list(each["shape"]) for each in side}
            for side in (self.interpreter.get_input_details(), self.interpreter.get_output_details())
        )
        self.image_size = require_images_to_tasks(given, made, file)
        self.exported = parse_export_card(metadata, file)
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
    if not file.is_file():
        raise InputError(f"{file}: no such model; write it with `python src/export.py`")
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
