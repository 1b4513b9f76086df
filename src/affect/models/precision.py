"""Which arithmetic trains a backbone fastest on the processor at hand."""

from pathlib import Path

import numpy as np
import tensorflow as tf

BFLOAT16 = "mixed_bfloat16"
FLOAT32 = "float32"

# Measured with `make bench`: their dense convolutions gain, the depthwise ones of EfficientNet lose.
_FASTER_IN_BFLOAT16 = ("resnet50", "densenet121")
_PROCESSOR_FLAGS = ("avx512_bf16", "amx_bf16")


def fastest_precision(backbone: str, processor: Path = Path("/proc/cpuinfo")) -> str:
    """Return the Keras dtype policy: mixed_bfloat16 where processor and backbone gain from it, else float32.

    On a GPU it is float32, which TensorFlow computes on its tensor cores; what else would gain was not measured.
    """
    gains = backbone in _FASTER_IN_BFLOAT16 and not tf.config.list_physical_devices("GPU")
    flags = processor.read_text().split() if gains and processor.is_file() else []
    return BFLOAT16 if any(flag in flags for flag in _PROCESSOR_FLAGS) else FLOAT32


def input_type(precision: str) -> np.dtype:
    """Return the type in which the first layer of a Keras dtype policy takes its input."""
    return np.dtype(tf.bfloat16.as_numpy_dtype if precision == BFLOAT16 else np.float32)
