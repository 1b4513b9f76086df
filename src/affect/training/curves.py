"""Training curves that grow while a training runs, a point an epoch: in DVCLive's files and as one table."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import keras
import pandas as pd
from dvclive import Live
from scmrepo.exceptions import SCMError

from affect.core.files import write_json
from affect.core.places import require_folder, require_place
from affect.core.predictions import DECIMALS
from affect.plumbing.errors import InputError
from affect.training.progress import SHOWN

# What trainings log: fine-tuning of the first, pretraining of all.
MEASURES = {
    "emotion": ("loss", "accuracy"),
    "valence": ("loss", "rmse", "ccc"),
    "arousal": ("loss", "rmse", "ccc"),
    "action_units": ("loss", "mae"),
    "landmarks": ("loss", "rmse"),
}
_NAMES = ["loss", "learning_rate", *(f"{task}_{name}" for task, names in MEASURES.items() for name in names)]
_PLOTS = [f"metrics/{side}/{name}.tsv" for side in ("train", "val") for name in _NAMES]
_LAST_EPOCH = "last_epoch.json"
_TABLE = "curves.csv"


class Curves(keras.callbacks.Callback):
    """Log each epoch's losses and metrics when it ends.

    DVCLive's own callback needs TensorFlow whatever backend Keras runs on.
    """

    def __init__(self, live: Live, table: Path) -> None:
        super().__init__()
        self.live = live
        self.table = table

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Log one epoch."""
        self.log(epoch, logs or {})

    def log(self, epoch: int, logs: Mapping[str, float]) -> None:
        """Log one epoch, counted from 0, as train/{name} and val/{name}, and in the table."""
        for name, value in logs.items():
            side = "val" if name.startswith("val_") else "train"
            self.live.log_metric(f"{side}/{name.removeprefix('val_')}", float(value))
        rows = [
            (measure, images, epoch + 1, round(float(logs[f"{prefix}{measure}"]), DECIMALS))
            for measure in SHOWN
            for images, prefix in (("training", ""), ("validation", "val_"))
            if f"{prefix}{measure}" in logs
        ]
        table = pd.DataFrame(rows, columns=["measure", "images", "epoch", "value"])
        # One write an epoch: who reads meanwhile, or after a kill, sees whole epochs.
        with self.table.open("a", encoding="utf-8", newline="") as file:
            file.write(table.to_csv(index=False, header=file.tell() == 0, lineterminator="\n"))
        self.live.next_step()


def require_curves(folder: Path) -> None:
    """Raise InputError where anything but the curves of an earlier training is in the places of curves."""
    for name in (_TABLE, _LAST_EPOCH):
        require_place(folder / name)
    require_folder(folder / "plots", _PLOTS)


@contextmanager
def live_curves(folder: Path, finished: Sequence[Mapping[str, float]]) -> Iterator[Curves]:
    """Yield the callback that logs a training in a folder; it replaces the curves of an earlier one.

    finished: the epochs that a resumed training has behind it, which are logged at once. The files grow by whole
    epochs: plots/metrics/{train,val}/{name}.tsv, curves.csv, and last_epoch.json, which DVCLive passes on to Studio.
    Raises InputError in a git repository without a commit.
    """
    for name in (_TABLE, _LAST_EPOCH, *(f"plots/{plot}" for plot in _PLOTS)):
        (folder / name).unlink(missing_ok=True)
    try:
        # With `resume` it leaves alone what else lies in the folder.
        live = _Live(str(folder), resume=True, dvcyaml=None, save_dvc_exp=False)
    except SCMError as error:
        raise InputError(f"DVCLive asks git for the last commit: {error}; make one with git commit") from None
    curves = Curves(live, folder / _TABLE)
    try:
        for epoch, logs in enumerate(finished):
            curves.log(epoch, logs)
        yield curves
    finally:
        if live.summary:
            live.end()


class _Live(Live):
    """DVCLive with its summary in a file that is replaced in one step.

    Its own, metrics.json, would be there before the training has ended.
    """

    @property
    def metrics_file(self) -> str:
        return os.path.join(self.dir, _LAST_EPOCH)  # noqa: PTH118, DVCLive's own paths are strings

    def make_summary(self) -> None:
        self.summary["step"] = self.step
        write_json(Path(self.metrics_file), self.summary)
