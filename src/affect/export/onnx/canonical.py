"""ONNX graphs whose bytes depend on what they compute alone."""

from copy import deepcopy

import onnx


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
