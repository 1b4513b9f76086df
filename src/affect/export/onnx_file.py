"""ONNX, for ONNX Runtime: in Python, in browsers, on phones."""

import logging

import onnx

from affect.export.canonical import canonicalise
from affect.export.graph import INPUT, freeze
from affect.models.backend import keras
from affect.models.card import METADATA_KEY, ExportCard

# The newest that ONNX Runtime's builds for browsers and phones of the last years all know.
OPSET = 17


def to_onnx(model: keras.Model, card: ExportCard) -> bytes:
    """Return a model in ONNX, in float32: `image` in, an output for each task."""
    from tf2onnx.convert import from_graph_def  # noqa: PLC0415, it imports TensorFlow

    # The one prints the traceback of an optimisation that it then does in another way, the other that it is old.
    for talker in ("tf2onnx", "tensorflow"):
        logging.getLogger(talker).setLevel(logging.CRITICAL)
    frozen = freeze(model)
    tasks = sorted(model.output)
    converted, _ = from_graph_def(
        frozen.graph.as_graph_def(),
        input_names=[f"{INPUT}:0"],
        output_names=[f"{task}:0" for task in tasks],
        tensors_to_rename={f"{name}:0": name for name in (INPUT, *tasks)},
        opset=OPSET,
    )
    for value in (*converted.graph.input, *converted.graph.output):
        value.type.tensor_type.shape.dim[0].dim_param = "count"
    canonicalise(converted.graph)
    onnx.helper.set_model_props(converted, {METADATA_KEY: card.model_dump_json()})
    onnx.checker.check_model(converted, full_check=True)
    return converted.SerializeToString(deterministic=True)
