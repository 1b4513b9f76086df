"""Of an ONNX graph nothing is left that computes nothing, and what it computes stays."""

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from affect.export.onnx.canonical import drop_idle_reshapes

MAPS = np.random.default_rng(1).normal(size=(5, 4, 1, 1)).astype(np.float32)


def make_model() -> onnx.ModelProto:
    """Reshape to the same shape twice, to another one, and back."""
    targets = {"same": [-1, 4, 1, 1], "other": [-1, 1, 2, 2], "back": [-1, 4, 1, 1]}
    order = ["same", "same", "other", "back", "same"]
    names = [f"value_{place}" for place in range(len(order) + 1)]
    nodes = [helper.make_node("Mul", ["image", "two"], [names[0]])]
    nodes += [helper.make_node("Reshape", [names[place], name], [names[place + 1]]) for place, name in enumerate(order)]
    nodes += [helper.make_node("Add", [names[-1], "two"], ["made"])]
    weights = [numpy_helper.from_array(np.array(target, np.int64), name) for name, target in targets.items()]
    weights.append(numpy_helper.from_array(np.array(2, np.float32), "two"))
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["count", 4, 1, 1]) for name in ("image", "made")]
    graph = helper.make_graph(nodes, "graph", values[:1], values[1:], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def compute(model: onnx.ModelProto) -> np.ndarray:
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, {"image": MAPS})[0]


def test_only_reshapes_that_change_a_shape_stay() -> None:
    model = make_model()
    expected = compute(model)
    drop_idle_reshapes(model)
    onnx.checker.check_model(model, full_check=True)
    assert [node.op_type for node in model.graph.node] == ["Mul", "Reshape", "Reshape", "Add"]
    np.testing.assert_array_equal(compute(model), expected)
