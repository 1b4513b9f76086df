"""How peers run a network; each is compared with where it is installed, since none is a dependency.

pip install --no-deps emotiefflib==1.1.1
"""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

EMOTIEFFLIB = "EmotiEffLib's code on that ONNX file"
EXPRESSIONS = 8


def open_in_emotiefflib(file: Path, size: int) -> Callable[[np.ndarray], object] | None:
    """Return what predicts images with EmotiEffLib's recogniser, from one of our ONNX files; None without it."""
    if not find_spec("emotiefflib"):
        return None
    from emotiefflib.facial_analysis import (  # noqa: PLC0415, it may not be there
        EmotiEffLibRecognizerBase,
        EmotiEffLibRecognizerOnnx,
    )

    # Its own constructor would fetch its own model.
    recogniser = object.__new__(EmotiEffLibRecognizerOnnx)
    EmotiEffLibRecognizerBase.__init__(recogniser, "enet_b0_8_best_vgaf")
    recogniser.img_size = size
    content = take_standardised(onnx.load(file), recogniser.mean, recogniser.std)
    recogniser.ort_session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    recogniser.classifier_weights = np.eye(EXPRESSIONS, dtype=np.float32)
    recogniser.classifier_bias = np.zeros(EXPRESSIONS, np.float32)
    return lambda images: recogniser.predict_emotions(list(images.astype(np.uint8)))


def take_standardised(model: onnx.ModelProto, mean: list[float], deviation: list[float]) -> bytes:
    """Have a model take what EmotiEffLib gives, channels first and standardised, and return expressions alone."""
    graph = model.graph
    (image,) = graph.input
    for name, values in (("mean", mean), ("deviation", deviation)):
        graph.initializer.append(numpy_helper.from_array(np.float32(255) * np.array(values, np.float32), name))
    before = [
        helper.make_node("Transpose", ["input"], ["last"], perm=[0, 2, 3, 1]),
        helper.make_node("Mul", ["last", "deviation"], ["scaled"]),
        helper.make_node("Add", ["scaled", "mean"], [image.name]),
        *graph.node,
    ]
    size = image.type.tensor_type.shape.dim[1].dim_value
    given = helper.make_tensor_value_info("input", TensorProto.FLOAT, [None, 3, size, size])
    made = [output for output in graph.output if output.name == "emotion"]
    del graph.node[:], graph.input[:], graph.output[:]
    graph.node.extend(before)
    graph.input.append(given)
    graph.output.extend(made)
    return model.SerializeToString()
