"""Training that goes on from its last finished epoch after it was killed, to the same bytes."""

import hashlib
import json
import time
from collections.abc import Iterable
from pathlib import Path
from zipfile import BadZipFile

import keras
import numpy as np

from affect.core.files import whole_file, write_text
from affect.plumbing.errors import InputError

COUNTERS = {
    keras.callbacks.EarlyStopping: ("wait", "stopped_epoch", "best", "best_epoch"),
    keras.callbacks.ReduceLROnPlateau: ("wait", "cooldown_counter", "best"),
}


def fingerprint(files: Iterable[Path], arrays: Iterable[np.ndarray], *facts: object) -> str:
    """Return a hash of the files' contents, of the arrays' and of the facts, as `repr` shows them."""
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


def remove_checkpoint(file: Path) -> None:
    """Remove the file of a training whose end DVC has recorded, if it is there."""
    file.unlink(missing_ok=True)
    _note(file).unlink(missing_ok=True)


def _note(file: Path) -> Path:
    return file.with_suffix(".made")


def _is_recorded(file: Path, lock: Path) -> bool:
    note = _note(file)
    return note.exists() and lock.exists() and note.read_text(encoding="utf-8") in lock.read_text(encoding="utf-8")


def _md5(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "md5").hexdigest()


class Checkpoint(keras.callbacks.Callback):
    """Keep in one file, after each epoch, all that the rest of training depends on.

    Pass it to `fit` after `early_stopping` and `plateau`.
    """

    def __init__(
        self,
        file: Path,
        early_stopping: keras.callbacks.EarlyStopping,
        plateau: keras.callbacks.ReduceLROnPlateau,
    ) -> None:
        super().__init__()
        self.file = file
        self.key = ""
        self.early_stopping = early_stopping
        self.plateau = plateau
        self.epochs: list[dict[str, float]] = []
        self._counters: list[dict[str, float]] = []
        self._best_weights: list[np.ndarray] = []
        self._started = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Seconds of training, those of a killed process up to its last finished epoch included."""
        return time.perf_counter() - self._started

    def restore(self, learner: keras.Model, key: str, lock: Path) -> bool:
        """Bring a compiled model to where the file's training was; False where there is none with the same key.

        key: the fingerprint of all that the training depends on. lock: dvc.lock, which need not be there; a training
        whose end it records is not gone on with. Raises InputError for a damaged file.
        """
        self.key = key
        learner.optimizer.build(learner.trainable_variables)
        if _is_recorded(self.file, lock):
            remove_checkpoint(self.file)
        if not self.file.is_file():
            return False
        try:
            with np.load(self.file, allow_pickle=False) as saved:
                state = json.loads(str(saved["state"]))
                if state["key"] != key:
                    return False
                groups = [[saved[f"{group}{number}"] for number in range(state[group])] for group in "wob"]
        except (OSError, ValueError, KeyError, BadZipFile) as error:
            raise InputError(f"{self.file}: damaged ({error}); remove it to train afresh") from None
        weights, optimizer, self._best_weights = groups
        learner.set_weights(weights)
        for variable, value in zip(learner.optimizer.variables, optimizer, strict=True):
            variable.assign(value)
        self.epochs, self._counters = state["epochs"], state["counters"]
        self._started -= state["seconds"]
        return True

    def keep_until_recorded(self, output: Path) -> None:
        """Note what the training has made. Once this process has ended, DVC records it in dvc.lock; should it be killed
        before it has, the next run finds the training at its end.
        """
        write_text(_note(self.file), _md5(output))

    @property
    def done(self) -> bool:
        """Whether early stopping has ended the training that was restored."""
        return bool(self._counters) and self._counters[0]["stopped_epoch"] > 0

    def on_train_begin(self, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002, Keras passes it
        """Set the other callbacks to what they were; they have just forgotten."""
        for callback, counters in zip((self.early_stopping, self.plateau), self._counters, strict=False):
            vars(callback).update(counters)
        if self._best_weights:
            self.early_stopping.best_weights = self._best_weights

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:  # noqa: ARG002, Keras passes it
        """Replace the file by the present state."""
        self.epochs.append({name: float(value) for name, value in (logs or {}).items()})
        groups = {
            "w": self.model.get_weights(),
            "o": [keras.ops.convert_to_numpy(variable) for variable in self.model.optimizer.variables],
            "b": self.early_stopping.best_weights,
        }
        state = {
            "key": self.key,
            "epochs": self.epochs,
            "seconds": self.seconds,
            "counters": [
                {name: getattr(callback, name) for name in COUNTERS[type(callback)]}
                for callback in (self.early_stopping, self.plateau)
            ],
        } | {group: len(arrays) for group, arrays in groups.items()}
        arrays = {f"{group}{number}": array for group, parts in groups.items() for number, array in enumerate(parts)}
        with whole_file(self.file) as unfinished:
            np.savez(unfinished, state=np.array(json.dumps(state)), **arrays)
