"""ONNX graphs whose bytes depend on what they compute alone."""

from copy import deepcopy

import onnx
from onnx import numpy_helper


def drop_idle_reshapes(model: onnx.ModelProto) -> None:
    """Take the Reshapes that change no shape out of a model, in place: tf2onnx leaves now one more, now one less."""
    graph = onnx.shape_inference.infer_shapes(model).graph
    shapes = {
        value.name: [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (*graph.input, *graph.value_info)
    }
    targets = {
        weight.name: numpy_helper.to_array(weight).tolist() for weight in graph.initializer if weight.dims == [4]
    }
    renamed: dict[str, str] = {}
    for node in list(model.graph.node):
        given = renamed.get(node.input[0], node.input[0]) if node.input else ""
        if node.op_type == "Reshape" and _is_idle(shapes.get(given, []), targets.get(node.input[1], [])):
            renamed[node.output[0]] = given
            model.graph.node.remove(node)
    for node in model.graph.node:
        node.input[:] = [renamed.get(name, name) for name in node.input]


def _is_idle(shape: list[int], target: list[int]) -> bool:
    """Whether a Reshape to a target, of any count of maps, keeps their shape."""
    return len(shape) == len(target) > 0 and target[0] == -1 and shape[1:] == target[1:] and all(shape[1:])


def canonicalise(graph: onnx.GraphProto) -> None:
    """Order a graph's nodes and weights as its outputs need them, and name them by their place, in place.

    tf2onnx orders and names them by addresses in memory, so that no two conversions are the same bytes.
    """
    nodes, weights = _in_order_of_need(graph)
    names = {weight.name: f"weight_{place}" for place, weight in enumerate(weights)}
    for place, node in enumerate(nodes):
        node.name = f"{node.op_type}_{place}"
        names |= {output: f"{node.name}_{number}" for number, output in enumerate(node.output)}
    # What the file takes and returns keeps its name, and so does an input that is left out.
    names |= {value.name: value.name for value in (*graph.input, *graph.output)} | {"": ""}
    for node in nodes:
        node.input[:] = [names[given] for given in node.input]
        node.output[:] = [names[made] for made in node.output]
    for weight in weights:
        weight.name = names[weight.name]
    del graph.node[:], graph.initializer[:], graph.value_info[:]
    graph.node.extend(nodes)
    graph.initializer.extend(weights)


def _in_order_of_need(graph: onnx.GraphProto) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """Return copies of the nodes, each after those that it needs, and of the weights in the order of their use."""
    makers = {made: node for node in graph.node for made in node.output}
    stored = {weight.name: weight for weight in graph.initializer}
    nodes: list[onnx.NodeProto] = []
    weights: list[onnx.TensorProto] = []
    seen: set[str] = set()
    needed = [output.name for output in reversed(graph.output)]
    while needed:
        name = needed[-1]
        node = makers.get(name)
        missing = [given for given in node.input if given not in seen] if node and name not in seen else []
        if missing:
            needed += reversed(missing)
            continue
        needed.pop()
        if name in seen:
            continue
        seen |= set(node.output) if node else {name}
        if node:
            nodes.append(deepcopy(node))
        elif name in stored:
            weights.append(deepcopy(stored[name]))
    return nodes, weights
