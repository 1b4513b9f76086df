"""What a training says of itself: a bar that an epoch fills, and a line when it ends."""

from collections.abc import Mapping

import keras
from tqdm import tqdm

# What an epoch's line and the table of curves show: the label and the digits of the line.
SHOWN = {
    "loss": ("loss", ".3g"),
    "emotion_accuracy": ("accuracy", ".3f"),
    "valence_ccc": ("CCC valence", ".3f"),
    "arousal_ccc": ("arousal", ".3f"),
}


class Progress(keras.callbacks.Callback):
    """Show a bar of each epoch's steps where the output is a terminal, and print each epoch's line.

    Keras's own line has the 20 losses and metrics, which curves hold.
    """

    def __init__(self) -> None:
        super().__init__()
        self._bar = tqdm(disable=True)

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002, Keras passes it
        """Begin the bar of an epoch."""
        description = f"epoch {epoch + 1}/{self.params['epochs']}"
        self._bar = tqdm(total=self.params["steps"], desc=description, leave=False, disable=None)

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002
        """Move the bar on."""
        self._bar.update()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Replace the bar by the epoch's line."""
        self._bar.close()
        print(describe_epoch(epoch, self.params["epochs"], logs or {}), flush=True)


def describe_epoch(epoch: int, epochs: int, logs: Mapping[str, float]) -> str:
    """Return the line of an epoch, counted from 0: loss, accuracy and CCCs, training|validation."""
    parts = [
        f"{label} {logs[name]:{digits}}|{logs[f'val_{name}']:{digits}}"
        for name, (label, digits) in SHOWN.items()
        if name in logs
    ]
    return f"epoch {epoch + 1}/{epochs} train|val: {' '.join(parts)}"
