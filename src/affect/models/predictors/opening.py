"""Open a model by the ending of its file."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd
from tqdm import tqdm

from affect.core.predictions import COLUMNS
from affect.core.records import Records
from affect.models.predictors.keras_file import KerasPredictor
from affect.models.predictors.litert_file import LiteRTPredictor
from affect.models.predictors.onnx_file import OnnxPredictor
from affect.models.predictors.predictor import Predictor
from affect.plumbing.errors import InputError

FORMATS: dict[str, Callable[[Path], Predictor]] = {
    ".keras": KerasPredictor,
    ".onnx": OnnxPredictor,
    ".tflite": LiteRTPredictor,
}


def open_predictor(file: Path) -> Predictor:
    """Open the file of a trained network, as its ending says; nothing in it is ever executed.

    Raises InputError for another ending, and for what is no trained network.
    """
    if file.suffix not in FORMATS:
        raise InputError(f"{file}: not a model: its name should end in {' or '.join(FORMATS)}")
    return FORMATS[file.suffix](file)


def predict_records(predictor: Predictor, records: Records, batch_size: int, mirror: bool = False) -> pd.DataFrame:
    """Predict records in batches; returns their ids and labels beside `Predictor.predict`, the columns of COLUMNS."""
    starts = tqdm(range(0, len(records.images), batch_size), desc=predictor.name, disable=None)
    batches = (records.images[start : start + batch_size] for start in starts)
    predicted = predictor.predict(batches, mirror)
    return records.index.join(predicted)[COLUMNS]
