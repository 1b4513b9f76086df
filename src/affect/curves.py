"""Training curves in DVCLive's files, one a loss or metric."""

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
        for name, value in (logs or {}).items():
            side = "val" if name.startswith("val_") else "train"
            self.live.log_metric(f"{side}/{name.removeprefix('val_')}", float(value))
        self.live.next_step()
