"""Saved models: self-contained .keras files that take RGB 0-255."""

import zipfile
from pathlib import Path

import keras
import numpy as np

from affect.errors import InputError


def load_model(file: Path) -> keras.Model:
    """Load a trained model; nothing in the file is ever executed. Raises InputError for what is not one."""
    if not file.is_file():
        raise InputError(f"{file}: no such model; train it with `dvc repro`, or fetch it with `dvc pull`")
    try:
        model = keras.models.load_model(file, compile=False, safe_mode=True)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise InputError(f"{file}: not a model of this repository: {' '.join(str(error).split())}") from error
    if not isinstance(model.output, dict) or "emotion" not in model.output:
        raise InputError(f"{file}: not a model of this repository: it has no output named emotion")
    return model


def image_size(model: keras.Model) -> int:
    """Return the pixels a side of the images that a model takes."""
    return model.input.shape[1]


def cost(model: keras.Model, file: Path) -> dict[str, int | float]:
    """Return a model's parameters, those that were trained, and the megabytes (10^6) of its file."""
    return {
        "parameters": model.count_params(),
        "trainable_parameters": sum(int(np.prod(weight.shape)) for weight in model.trainable_weights),
        "size_mb": round(file.stat().st_size / 1e6, 1),
    }
