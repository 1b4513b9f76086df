"""Training curves in DVCLive's files, one a loss or metric."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import keras
from dvclive import Live

from affect.core.files import atomic_file, atomic_folder
from affect.core.places import require_folder, require_place

# What trainings log: fine-tuning of the first, pretraining of all.
MEASURES = {
    "emotion": ("loss", "accuracy"),
    "valence": ("loss", "rmse", "ccc"),
    "arousal": ("loss", "rmse", "ccc"),
    "action_units": ("loss", "mae"),
    "landmarks": ("loss", "rmse"),
}
_NAMES = ["loss", "learning_rate", *(f"{task}_{name}" for task, names in MEASURES.items() for name in names)]
FILES = [f"metrics/{side}/{name}.tsv" for side in ("train", "val") for name in _NAMES]


class Curves(keras.callbacks.Callback):
    """Log each epoch's losses and metrics as train/{name} and val/{name}.

    DVCLive's own callback needs TensorFlow whatever backend Keras runs on.
    """

    def __init__(self, live: Live) -> None:
        super().__init__()
        self.live = live

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002, Keras passes it
        """Log one epoch."""
        _log(self.live, logs or {})


def require_curves(folder: Path) -> None:
    """Raise InputError where anything but the curves of an earlier training is in the places of curves."""
    require_place(folder / "metrics.json")
    require_folder(folder / "plots", FILES)


def save_curves(folder: Path, epochs: Sequence[Mapping[str, float]], facts: Mapping[str, str | int]) -> None:
    """Log a finished training: one entry per epoch, plus run-level values (`facts`)."""
    with TemporaryDirectory() as temporary:
        with Live(temporary, dvcyaml=None, save_dvc_exp=False) as live:
            for name, fact in facts.items():
                live.log_metric(name, fact, plot=False)
            for logs in epochs:
                _log(live, logs)
        move_curves(Path(temporary), folder)


def move_curves(logged: Path, folder: Path) -> None:
    """Move the logs of DVCLive, which empties its own folder, to where DVC tracks them."""
    with atomic_folder(folder / "plots", FILES) as plots, atomic_file(folder / "metrics.json") as metrics:
        shutil.copytree(logged / "plots", plots, dirs_exist_ok=True)
        shutil.copyfile(logged / "metrics.json", metrics)


def _log(live: Live, logs: Mapping[str, float]) -> None:
    for name, value in logs.items():
        side = "val" if name.startswith("val_") else "train"
        live.log_metric(f"{side}/{name.removeprefix('val_')}", float(value))
    live.next_step()
