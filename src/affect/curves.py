"""Training curves in DVCLive's files, one a loss or metric."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import keras
from dvclive import Live


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


def save_curves(folder: Path, epochs: Sequence[Mapping[str, float]], facts: Mapping[str, str | int]) -> None:
    """Log all epochs of a training that has ended as `Curves` does, and facts about it beside their last values."""
    with Live(str(folder), dvcyaml=None, save_dvc_exp=False) as live:
        for name, fact in facts.items():
            live.log_metric(name, fact, plot=False)
        for logs in epochs:
            _log(live, logs)


def _log(live: Live, logs: Mapping[str, float]) -> None:
    for name, value in logs.items():
        side = "val" if name.startswith("val_") else "train"
        live.log_metric(f"{side}/{name.removeprefix('val_')}", float(value))
    live.next_step()
