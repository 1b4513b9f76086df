"""Saved models: self-contained .keras files that take RGB 0-255."""

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import BadZipFile, ZipFile, ZipInfo

import keras
import numpy as np

from affect.errors import InputError
from affect.files import whole_file

# The earliest that a ZIP archive can say.
NO_DATE = (1980, 1, 1, 0, 0, 0)


def save_model(model: keras.Model, file: Path) -> None:
    """Save a model in Keras's format, but without dates and memory addresses: the same model is the same bytes."""
    with TemporaryDirectory() as folder, whole_file(file) as unfinished:
        model.save(folder, zipped=False)
        metadata = Path(folder) / "metadata.json"
        dated = json.loads(metadata.read_text(encoding="utf-8"))
        metadata.write_text(json.dumps(dated | {"date_saved": "1980-01-01@00:00:00"}), encoding="utf-8")
        config = Path(folder) / "config.json"
        config.write_text(_number_shared_objects(config.read_text(encoding="utf-8")), encoding="utf-8")
        with ZipFile(unfinished, "w") as archive:
            for part in sorted(Path(folder).glob("*.*")):
                archive.writestr(ZipInfo(part.name, NO_DATE), part.read_bytes())


def _number_shared_objects(config: str) -> str:
    """Replace the addresses by which Keras tells shared objects apart by numbers, in the order of the config."""
    numbers: dict[str, int] = {}
    return re.sub(
        r'(?<="shared_object_id": )\d+', lambda found: str(numbers.setdefault(found[0], len(numbers) + 1)), config
    )


def load_model(file: Path) -> keras.Model:
    """Load a trained model; nothing in the file is ever executed. Raises InputError for what is not one."""
    if not file.is_file():
        raise InputError(f"{file}: no such model; train it with `dvc repro`, or fetch it with `dvc pull`")
    try:
        model = keras.models.load_model(file, compile=False, safe_mode=True)
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
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
