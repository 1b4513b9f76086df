"""What a LiteRT file holds beside its operations: names, and a card."""

from collections.abc import Sequence

import flatbuffers
import numpy as np
from ai_edge_litert import schema_py_generated as schema

from affect.export.graph import INPUT
from affect.models.card import METADATA_KEY, ExportCard

_FILE_IDENTIFIER = b"TFL3"
# Those that only prepare what the first convolution, or the first product, is taken of.
_LEARNT = (schema.BuiltinOperator.CONV_2D, schema.BuiltinOperator.FULLY_CONNECTED)


def find_preprocessing(content: bytes) -> list[str]:
    """Return the names of what a float32 file computes before its first layer with weights."""
    model = schema.ModelT.InitFromPackedBuf(bytearray(content), 0)
    graph = model.subgraphs[0]
    names = []
    for operator in graph.operators:
        code = model.operatorCodes[operator.opcodeIndex]
        if max(code.builtinCode, code.deprecatedBuiltinCode) in _LEARNT:
            break
        names += [graph.tensors[output].name.decode() for output in operator.outputs]
    return names


def finish(content: bytes, tasks: Sequence[str], card: ExportCard) -> bytes:
    """Return a file whose input and outputs have their names, and whose metadata has the card.

    tasks: those of the outputs in order. The converter names outputs by number.
    """
    model = schema.ModelT.InitFromPackedBuf(bytearray(content), 0)
    graph = model.subgraphs[0]
    for place, task in zip(graph.outputs, tasks, strict=True):
        graph.tensors[place].name = task.encode()
    signature = schema.SignatureDefT()
    signature.signatureKey = b"serving_default"
    signature.subgraphIndex = 0
    signature.inputs = [_name(INPUT, graph.inputs[0])]
    signature.outputs = [_name(task, place) for task, place in zip(tasks, graph.outputs, strict=True)]
    model.signatureDefs = [signature]
    stored, entry = schema.BufferT(), schema.MetadataT()
    stored.data = np.frombuffer(card.model_dump_json().encode(), np.uint8)
    entry.name, entry.buffer = METADATA_KEY.encode(), len(model.buffers)
    model.buffers.append(stored)
    model.metadata.append(entry)
    builder = flatbuffers.Builder(len(content))
    builder.Finish(model.Pack(builder), _FILE_IDENTIFIER)
    return bytes(builder.Output())


def _name(name: str, place: int) -> "schema.TensorMapT":
    named = schema.TensorMapT()
    named.name, named.tensorIndex = name.encode(), place
    return named
