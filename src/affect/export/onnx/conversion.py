"""A trained model as an ONNX file."""

from pathlib import Path

import numpy as np
import onnx

from affect.export.graph import INPUT, freeze
from affect.export.onnx.canonical import canonicalise, drop_idle_reshapes
from affect.export.onnx.precision import halve_weights, quantise
from affect.export.quiet import quiet
from affect.models.backend import keras
from affect.models.card import METADATA_KEY, ExportCard

# The newest that ONNX Runtime's builds for browsers and phones of the last years all know.
OPSET = 17


def write_onnx(model: keras.Model, card: ExportCard, file: Path, images: np.ndarray | None = None) -> None:
    """Write a model as ONNX in the precision of its card: `image` in, an output for each task.

    images: (count, size, size, 3), RGB 0-255, on which int8 is calibrated.
    """
    converted = _convert(model)
    if card.precision == "float16":
        halve_weights(converted.graph)
    elif card.precision == "int8":
        assert images is not None
        converted = quantise(converted, images)
    canonicalise(converted.graph)
    onnx.helper.set_model_props(converted, {METADATA_KEY: card.model_dump_json()})
    onnx.checker.check_model(converted, full_check=True)
    file.write_bytes(converted.SerializeToString(deterministic=True))


def _convert(model: keras.Model) -> onnx.ModelProto:
    from tf2onnx.convert import from_graph_def  # noqa: PLC0415, it imports TensorFlow

    frozen = freeze(model)
    tasks = sorted(model.output)
    with quiet():
        converted, _ = from_graph_def(
            frozen.graph.as_graph_def(),
            input_names=[f"{INPUT}:0"],
            output_names=[f"{task}:0" for task in tasks],
            tensors_to_rename={f"{name}:0": name for name in (INPUT, *tasks)},
            opset=OPSET,
        )
    for value in (*converted.graph.input, *converted.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "count"
    drop_idle_reshapes(converted)
    return converted
