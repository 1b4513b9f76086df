"""How Keras runs here: quiet, repeatable, and taking GPU memory only as it needs it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# TensorFlow reads this when it is first imported: its notes on processor features and devices are no news.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
# It leaves oneDNN off on processors without AVX-512, where ResNet50's step then takes nearly twice as long.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


@contextmanager
def _silent_native_code() -> Iterator[None]:
    """Discard what libraries write to standard error by themselves; Python's own errors still reach the caller."""
    kept = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


# Its first notes come before it has read the variable.
with _silent_native_code():
    import keras


def set_up(seed: int = 0) -> None:
    """Seed Keras and make its operations repeatable; call it before anything is built.

    Only training draws anything at random, so only training needs a seed of its own.
    """
    keras.utils.set_random_seed(seed)
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf  # noqa: PLC0415, the only backend that needs it

        tf.config.experimental.enable_op_determinism()
        for gpu in tf.config.list_physical_devices("GPU"):
            tf.config.experimental.set_memory_growth(gpu, True)
