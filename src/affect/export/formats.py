"""The formats that a model can be exported to."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from affect.export.litert.conversion import write_litert
from affect.export.onnx.conversion import write_onnx
from affect.export.saved_model import SavedModelPredictor, write_saved_model
from affect.models.backend import keras
from affect.models.card import ExportCard
from affect.models.predictors import Predictor, open_predictor

FLOAT32, FLOAT16, INT8 = PRECISIONS = ("float32", "float16", "int8")


@dataclass(frozen=True)
class Format:
    """A format: the ending of its files, and its precisions.

    write: takes the model, the card, which says the precision, the file, and the images on which int8 is calibrated.
    calibrations: on how many images int8 is calibrated in turn; the closest to the model is kept. open: opens a file
    that was just written.
    """

    ending: str
    precisions: tuple[str, ...]
    write: Callable[[keras.Model, ExportCard, Path, np.ndarray | None], None]
    calibrations: tuple[int, ...] = ()
    open: Callable[[Path], Predictor] = open_predictor


FORMATS = {
    "onnx": Format(".onnx", PRECISIONS, write_onnx, (256,)),
    # Its ranges hold every value of the images, so that more images bring rarer ones, and coarser steps for the rest.
    "litert": Format(".tflite", PRECISIONS, write_litert, (16, 64, 256)),
    "savedmodel": Format("", (FLOAT32,), write_saved_model, open=SavedModelPredictor),
}


def find_format(export: str) -> tuple[Format, str]:
    """Return format and precision of an export such as onnx-int8."""
    name, precision = export.split("-")
    return FORMATS[name], precision
