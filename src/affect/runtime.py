"""How Keras runs here: quiet, repeatable, and taking GPU memory only as it needs it."""

import os

# TensorFlow reads this when it is first imported: its notes on processor features and devices are no news.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

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
