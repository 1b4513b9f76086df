"""Set up Keras: quiet start, determinism, the GPUs' memory, precision."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import ml_dtypes
import numpy as np

from affect.plumbing.errors import InputError

if TYPE_CHECKING:
    import tensorflow as tf

# An NVIDIA GPU, in WSL too.
_GPU_DEVICES = (*Path("/dev").glob("nvidia[0-9]*"), *Path("/dev").glob("dxg"))
# TensorFlow's messages about the processor, and on a machine without a GPU its errors of not finding one; what is wrong
# with a run is raised as well.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2" if _GPU_DEVICES else "3")
# TensorFlow leaves oneDNN off on processors without AVX-512, where ResNet50's step then takes nearly twice as long.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
# Of several processes JAX would have one take SIGTERM for a notice and go on.
os.environ.setdefault("JAX_ENABLE_PREEMPTION_SERVICE", "0")


@contextmanager
def silent_native_code() -> Iterator[None]:
    """Discard what native libraries write to standard error; Python's own errors still reach the caller."""
    kept = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


# TensorFlow prints before it reads TF_CPP_MIN_LOG_LEVEL, so standard error is redirected during the import.
with silent_native_code():
    try:
        import keras

        if keras.backend.backend() != "tensorflow":
            # Keras imports it in any case, later and aloud.
            import tensorflow  # noqa: F401
    except ModuleNotFoundError as error:
        named = os.environ.get("KERAS_BACKEND")
        if named is None or error.name != named:
            raise
        # Nothing runs without Keras, so there is nobody yet to tell of an InputError.
        sys.exit(f"KERAS_BACKEND in the environment is {named}, which is not installed; unset it")

ON_TENSORFLOW = keras.backend.backend() == "tensorflow"
if not ON_TENSORFLOW:
    # JAX reads it when it first computes; on a GPU it would add up in any order. Of two flags the later one counts.
    os.environ["XLA_FLAGS"] = f"--xla_gpu_deterministic_ops=true {os.environ.get('XLA_FLAGS', '')}"

BFLOAT16 = "mixed_bfloat16"
FLOAT32 = "float32"

_PROCESSOR_FLAGS = ("avx512_bf16", "amx_bf16")


def set_up(seed: int = 0) -> None:
    """Seed Keras and make its operations repeatable; call it before anything is built.

    Only training draws random numbers, so only training needs a seed of its own.
    """
    keras.utils.set_random_seed(seed)
    import tensorflow as tf  # noqa: PLC0415, its API takes a second to import

    if not ON_TENSORFLOW:
        # Batches are read by tf.data under JAX, too, and TensorFlow would take the GPUs' memory for itself. Where
        # there are none it says so.
        with silent_native_code():
            tf.config.set_visible_devices([], "GPU")
        return
    tf.config.experimental.enable_op_determinism()
    for gpu in _gpus():
        tf.config.experimental.set_memory_growth(gpu, True)


def require_backend(chosen: str, name: str = "train.backend") -> None:
    """Have Keras run on the chosen backend, for which this process begins again where it runs on another.

    name: of the choice, for the InputError where the environment names another one, or the chosen is not installed.
    """
    if keras.backend.backend() == chosen:
        return
    if given := os.environ.get("KERAS_BACKEND"):
        raise InputError(f"{name} is {chosen}, but KERAS_BACKEND in the environment is {given}; unset it")
    if find_spec(chosen) is None:
        raise InputError(f"{name}: {chosen} is not installed; docs/scale.md says which to install")
    sys.stdout.flush()
    os.execve(sys.executable, sys.orig_argv, os.environ | {"KERAS_BACKEND": chosen})


def fastest_precision(backbone: str, processor: Path = Path("/proc/cpuinfo")) -> str:
    """Return the Keras dtype policy: mixed_bfloat16 where processor and backbone gain from it, else float32.

    On a GPU, and on another backend than TensorFlow, it is float32: what would gain there was not measured.
    """
    from affect.models.backbones import BACKBONES  # noqa: PLC0415, it imports Keras, which this module sets up first

    gains = BACKBONES[backbone].faster_in_bfloat16 and ON_TENSORFLOW and not _gpus()
    flags = processor.read_text().split() if gains and processor.is_file() else []
    return BFLOAT16 if any(flag in flags for flag in _PROCESSOR_FLAGS) else FLOAT32


def input_dtype(precision: str) -> np.dtype:
    """Return the dtype in which the first layer of a Keras dtype policy takes its input."""
    return np.dtype(ml_dtypes.bfloat16 if precision == BFLOAT16 else np.float32)


def device_name() -> str:
    """Return what Keras computes on, as its backend calls it: a GPU's name, or cpu."""
    if not ON_TENSORFLOW:
        import jax  # noqa: PLC0415, the only backend that needs it

        return jax.devices()[0].device_kind
    import tensorflow as tf  # noqa: PLC0415, the only backend that needs it

    gpus = _gpus()
    return tf.config.experimental.get_device_details(gpus[0])["device_name"] if gpus else "cpu"


def _gpus() -> list["tf.config.PhysicalDevice"]:
    import tensorflow as tf  # noqa: PLC0415, the only backend that needs it

    return tf.config.list_physical_devices("GPU")
