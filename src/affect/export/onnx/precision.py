"""Smaller weights in an ONNX graph: half precision, and 8-bit integers."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)

from affect.export.graph import INPUT
from affect.export.quiet import quiet
from affect.plumbing.errors import InputError

# Smaller arrays, such as biases, are no saving.
_MIN_HALVED = 256
# What quantisation keeps in memory of every layer's output at once.
_IMAGES_AT_ONCE = 8


def halve_weights(graph: onnx.GraphProto) -> None:
    """Store the large weights of a graph in float16, in place; they are computed with in float32, as the rest is."""
    for place, weight in enumerate(graph.initializer):
        values = numpy_helper.to_array(weight)
        if values.dtype != np.float32 or values.size < _MIN_HALVED:
            continue
        name = weight.name
        stored = numpy_helper.from_array(values.astype(np.float16), f"{name}_half")
        graph.initializer[place].CopyFrom(stored)
        graph.node.insert(0, onnx.helper.make_node("Cast", [stored.name], [name], to=onnx.TensorProto.FLOAT))


def quantise(model: onnx.ModelProto, images: np.ndarray) -> onnx.ModelProto:
    """Return a model of 8-bit weights, each channel with a scale of its own, and 8-bit activations.

    The range of an activation holds all but 1 in 100,000 of its values on the images (count, size, size, 3): with all
    of them EfficientNet's rare large ones would leave few steps for the rest. Raises InputError where a layer gives
    the same for all images.
    """
    with tempfile.TemporaryDirectory() as folder, quiet():
        quantised = Path(folder) / "quantised.onnx"
        try:
            quantize_static(
                model,
                quantised,
                _Images(images),
                quant_format=QuantFormat.QDQ,
                per_channel=True,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                calibrate_method=CalibrationMethod.Percentile,
                extra_options={"CalibStridedMinMax": _IMAGES_AT_ONCE},
            )
        except ValueError as error:
            # Its histogram would have bins that float32 can't tell apart.
            if "Too many bins" not in str(error):
                raise
            raise InputError(
                "int8 needs activations that differ between images, and a layer of this network gives the same for "
                "all; train it, or export it in float16"
            ) from None
        return onnx.load(quantised)


class _Images(CalibrationDataReader):
    """What ONNX Runtime reads images through, a few at a time."""

    def __init__(self, images: np.ndarray) -> None:
        # Each part must be full.
        self.images = images[: len(images) // _IMAGES_AT_ONCE * _IMAGES_AT_ONCE]
        self.range: Iterator[np.ndarray] = iter(())

    def __len__(self) -> int:
        return len(self.images)

    def set_range(self, start_index: int, end_index: int) -> None:
        """Turn to these images."""
        self.range = iter([self.images[start_index:end_index]])

    def get_next(self) -> dict[str, np.ndarray] | None:
        """Return the images turned to, once."""
        part = next(self.range, None)
        return None if part is None else {INPUT: part.astype(np.float32)}
