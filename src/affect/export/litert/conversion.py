"""A trained model as a LiteRT file."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from affect.export.graph import freeze
from affect.export.litert.flatbuffer import find_preprocessing, finish
from affect.export.quiet import quiet
from affect.models.backend import keras
from affect.models.card import ExportCard

if TYPE_CHECKING:
    import tensorflow as tf


def write_litert(model: keras.Model, card: ExportCard, file: Path, images: np.ndarray | None = None) -> None:
    """Write a model as LiteRT in the precision of its card: `image` in, an output for each task.

    float16 is that of the weights, which are computed with in float32. images: (count, size, size, 3), RGB 0-255, on
    which int8 is calibrated.
    """
    import tensorflow as tf  # noqa: PLC0415, importing this module must not import it

    frozen = freeze(model)
    with quiet():
        converter = tf.lite.TFLiteConverter.from_concrete_functions([frozen])
        if card.precision == "int8":
            assert images is not None
            content = _quantise(converter, images)
        else:
            if card.precision == "float16":
                converter.optimizations = [tf.lite.Optimize.DEFAULT]
                converter.target_spec.supported_types = [tf.float16]
            content = converter.convert()
    file.write_bytes(finish(content, sorted(model.output), card))


def _quantise(converter: "tf.lite.TFLiteConverter", images: np.ndarray) -> bytes:
    """Return a model of 8-bit weights, each channel with a scale of its own, and 8-bit activations."""
    import tensorflow as tf  # noqa: PLC0415

    # LiteRT's 8-bit reversal of ResNet50's channels is wrong by up to half of the range, and costs 0.1 of accuracy.
    kept = find_preprocessing(converter.convert())

    def feed() -> Iterator[list[np.ndarray]]:
        return ([image[None].astype(np.float32)] for image in images)

    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = feed
    # What LiteRT calls a debugger is its one way to leave out layers.
    options = tf.lite.experimental.QuantizationDebugOptions(denylisted_nodes=kept)
    debugger = tf.lite.experimental.QuantizationDebugger(converter=converter, debug_dataset=feed, debug_options=options)
    return debugger.get_nondebug_quantized_model()
