"""Resume a killed training from its last finished epoch, bit-identically."""

import hashlib
import json
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import keras
import numpy as np

from affect.core.files import atomic_file
from affect.plumbing.errors import InputError
from affect.training.distribution import ALONE, Ranks

# The attributes in which Keras's callbacks keep what the next epoch depends on.
STATES = {
    keras.callbacks.EarlyStopping: ("wait", "stopped_epoch", "best", "best_epoch"),
    keras.callbacks.ReduceLROnPlateau: ("wait", "cooldown_counter", "best"),
    keras.callbacks.SwapEMAWeights: ("_ema_weights_in_model",),
}


def fingerprint(files: Iterable[Path], arrays: Iterable[np.ndarray], *facts: object) -> str:
    """Return a hash of the contents of the files and arrays and of the facts, as `repr` shows them."""
    total = hashlib.blake2b(repr(facts).encode(), digest_size=16)
    for path in files:
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "blake2b").digest())
    for array in arrays:
        total.update(array.tobytes())
    return total.hexdigest()


def checkpoint_name(backbone: str) -> str:
    """Return the name of a network's checkpoint."""
    return f"{backbone}.checkpoint.npz"


class Checkpoint(keras.callbacks.Callback):
    """After each epoch, keep in one file all that the rest of training depends on.

    Pass it to `fit` after `early_stopping` and `others`, the other callbacks, of which it keeps those of STATES.
    ranks: of which the first writes the file.
    """

    def __init__(
        self,
        file: Path,
        early_stopping: keras.callbacks.EarlyStopping,
        others: Sequence[keras.callbacks.Callback],
        ranks: Ranks = ALONE,
    ) -> None:
        super().__init__()
        self.file = file
        self.ranks = ranks
        self.fingerprint = ""
        self.early_stopping = early_stopping
        self.callbacks = (early_stopping, *(callback for callback in others if type(callback) in STATES))
        self.epochs: list[dict[str, float]] = []
        self._states: list[dict[str, float]] = []
        self._best_weights: list[np.ndarray] = []
        self._started = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds of training, those of a killed process up to its last finished epoch included."""
        return time.perf_counter() - self._started

    def remaining(self, epochs: int) -> range:
        """Return the remaining epochs; empty after early stopping."""
        stopped = bool(self._states) and self._states[0]["stopped_epoch"] > 0
        return range(epochs if stopped else len(self.epochs), epochs)

    def restore(self, training_model: keras.Model, fingerprint: str) -> bool:
        """Restore a compiled model from the file; False where there is none with the same fingerprint.

        fingerprint: of all that the training depends on. Raises InputError for a damaged file, and where another rank
        has another fingerprint or file.
        """
        self.fingerprint = fingerprint
        training_model.optimizer.build(training_model.trainable_variables)
        read = self._read()
        # Before anything is assigned, which all ranks have to do or none.
        self.ranks.require_same(f"{fingerprint} {read and read[0]}", f"data, code or {self.file}")
        if read is None:
            return False
        state, weights, optimizer, self._best_weights = read
        training_model.set_weights(weights)
        for variable, value in zip(training_model.optimizer.variables, optimizer, strict=True):
            variable.assign(value)
        self.epochs, self._states = state["epochs"], state["callbacks"]
        self._started -= state["seconds"]
        return True

    def _read(self) -> tuple[dict[str, Any], list[np.ndarray], list[np.ndarray], list[np.ndarray]] | None:
        """Return the state, and the arrays of weights, optimizer and best weights; None where there is none to use."""
        if not self.file.is_file():
            return None
        try:
            with np.load(self.file, allow_pickle=False) as saved:
                state = json.loads(str(saved["state"]))
                if state["fingerprint"] != self.fingerprint:
                    return None
                weights, optimizer, best = (
                    [saved[f"{group}{number}"] for number in range(state[group])]
                    for group in ("weights", "optimizer", "best")
                )
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            raise InputError(f"{self.file}: damaged ({error}); remove it to train afresh") from None
        return state, weights, optimizer, best

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002, Keras passes it
        """Restore the state of the callbacks, which their on_train_begin has just reset."""
        for callback, state in zip(self.callbacks, self._states, strict=False):
            vars(callback).update(state)
        if self._best_weights:
            self.early_stopping.best_weights = self._best_weights

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002, Keras passes it
        """Replace the file by the present state."""
        self.epochs.append({name: float(value) for name, value in (logs or {}).items()})
        groups = {
            "weights": self.model.get_weights(),
            "optimizer": [keras.ops.convert_to_numpy(variable) for variable in self.model.optimizer.variables],
            "best": self.early_stopping.best_weights,
        }
        state = {
            "fingerprint": self.fingerprint,
            "epochs": self.epochs,
            "seconds": self.seconds,
            "callbacks": [
                {name: getattr(callback, name) for name in STATES[type(callback)]} for callback in self.callbacks
            ],
        } | {group: len(arrays) for group, arrays in groups.items()}
        arrays = {f"{group}{number}": array for group, parts in groups.items() for number, array in enumerate(parts)}
        # Of several processes all have gathered the weights, and one writes them.
        if not self.ranks.is_first:
            return
        with atomic_file(self.file) as temporary:
            np.savez(temporary, state=np.array(json.dumps(state)), **arrays)
