"""Saved models: self-contained .keras files that take RGB 0-255."""

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import BadZipFile, ZipFile, ZipInfo

import keras
import numpy as np

from affect.core.files import atomic_file
from affect.core.labels import EXPRESSIONS
from affect.models.card import ModelCard, parse_card
from affect.plumbing.errors import InputError

# Config keys that older Keras rejects, with their default values.
NEWER_KEYS: dict[str, dict[str, object]] = {
    "keras.initializers": {"input_axes": None, "output_axes": None},
    "keras.layers": {
        "quantization_config": None,
        **{"renorm": False, "renorm_clipping": None, "renorm_momentum": 0.99},
        **{"use_gate": False, "sliding_window": None},
    },
}

# The earliest date that ZIP can store.
NO_DATE = (1980, 1, 1, 0, 0, 0)


# What Keras ignores: its own date and version, the names of the expressions, and the card.
METADATA = "metadata.json"


def save_model(model: keras.Model, file: Path, card: ModelCard | None = None) -> None:
    """Save a model in Keras's format, but without dates and memory addresses: the same model is the same bytes.

    Keras 3.8 and all later ones can load it (`make test-keras`).
    Beside the date, metadata.json in the file names the expressions, in the order of the output "emotion", and holds
    the card, if any: what the model was trained on.
    """
    with TemporaryDirectory() as folder, atomic_file(file) as temporary:
        model.save(folder, zipped=False)
        metadata = Path(folder) / METADATA
        dated = json.loads(metadata.read_text(encoding="utf-8"))
        known = dated | {"date_saved": "1980-01-01@00:00:00", "expressions": EXPRESSIONS}
        known |= card.model_dump(exclude_none=True) if card else {}
        metadata.write_text(json.dumps(known), encoding="utf-8")
        config = Path(folder) / "config.json"
        whole = _number_shared_objects(config.read_text(encoding="utf-8"))
        config.write_text(json.dumps(json.loads(whole, object_hook=_without_newer_keys)), encoding="utf-8")
        with ZipFile(temporary, "w") as archive:
            for part in sorted(Path(folder).glob("*.*")):
                archive.writestr(ZipInfo(part.name, NO_DATE), part.read_bytes())


def _number_shared_objects(config: str) -> str:
    """Replace the addresses by which Keras tells shared objects apart by numbers, in the order of the config."""
    numbers: dict[str, int] = {}
    return re.sub(
        r'(?<="shared_object_id": )\d+', lambda found: str(numbers.setdefault(found[0], len(numbers) + 1)), config
    )


def _without_newer_keys(item: dict) -> dict:
    """Leave out of an object's config what older versions of Keras refuse, where it says what they do anyway.

    Any other value stays, so that an older Keras refuses the model rather than computes something else.
    """
    if not isinstance(item.get("module"), str) or not isinstance(item.get("config"), dict):
        return item
    newer = NEWER_KEYS.get(item["module"], {})
    # Before 3.11 an operation takes no name; the graph refers to it by the name beside its config, which stays.
    if item["module"].startswith("keras.src.ops.") and _is_given(item["config"].get("name"), item["class_name"]):
        newer = {"name": item["config"]["name"]}
    kept = {key: value for key, value in item["config"].items() if key not in newer or value != newer[key]}
    return item | {"config": kept}


def _is_given(name: str | None, class_name: str) -> bool:
    """Whether a name is Keras's automatic name for the class: get_item or get_item_1 for GetItem."""
    return name is not None and re.sub(r"_\d+$", "", name).replace("_", "") == class_name.lower()


def load_model(file: Path) -> keras.Model:
    """Load a trained model; nothing in the file is ever executed. Raises InputError for what is not one."""
    if not file.is_file():
        what = "a folder, and no model" if file.is_dir() else "no such model"
        raise InputError(f"{file}: {what}; train it with `dvc repro`, or fetch it with `dvc pull`")
    try:
        model = keras.models.load_model(file, compile=False, safe_mode=True)
    except (OSError, ValueError, KeyError, TypeError, BadZipFile) as error:
        raise InputError(f"{file}: not a model of this repository: {' '.join(str(error).split())}") from error
    emotion = model.output.get("emotion") if isinstance(model.output, dict) else None
    if emotion is None or emotion.shape[-1] != len(EXPRESSIONS):
        raise InputError(f"{file}: not a model of this repository: it has no output named emotion, of 8 expressions")
    return model


def read_card(file: Path) -> ModelCard | None:
    """Read the card of a saved model; None where it is older than cards.

    Raises InputError where the file is no archive of Keras, and for a damaged card.
    """
    try:
        with ZipFile(file) as archive:
            metadata = json.loads(archive.read(METADATA))
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise InputError(f"{file}: not a model of this repository: {' '.join(str(error).split())}") from error
    return parse_card(metadata, file)


def image_size(model: keras.Model) -> int:
    """Return the pixels a side of the images that a model takes."""
    return model.input.shape[1]


def model_size(model: keras.Model, file: Path) -> dict[str, int | float]:
    """Return a model's parameters, those that were trained, and the megabytes (10^6) of its file."""
    return {
        "parameters": model.count_params(),
        "trainable_parameters": sum(int(np.prod(weight.shape)) for weight in model.trainable_weights),
        "size_mb": round(file.stat().st_size / 1e6, 1),
    }
