"""An ONNX graph that is changed in place."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper, numpy_helper


TOKEN_BY_TOKEN = {"Add", "Cast", "DequantizeLinear", "Div", "Erf", "LayerNormalization", "Mul", "Pow", "QuantizeLinear", "Relu", "Softmax", "Sqrt", "Sub", "Sum", "Tanh"}
"""What gives a token the same whatever the others are: on each value by itself, or along the last axis."""

ALONG_AN_AXIS = {"LayerNormalization", "Softmax"}


def attribute(node: onnx.NodeProto, name: str, default):
    return next((helper.get_attribute_value(one) for one in node.attribute if one.name == name), default)


def is_token_by_token(node: onnx.NodeProto, rank: int) -> bool:
    """`rank`: axes of its output."""
    along = attribute(node, "axis", -1) if node.op_type in ALONG_AN_AXIS else -1
    return node.op_type in TOKEN_BY_TOKEN and along in (-1, rank - 1)


class Graph:
    def __init__(self, model: onnx.ModelProto):
        self._model = model
        self._graph = model.graph
        # In front of all others, which need them.
        self._new: list[onnx.NodeProto] = []
        self._find()

    def _find(self) -> None:
        self._constants = {one.name: one for one in self._graph.initializer}
        self._makers = {name: node for node in self._graph.node for name in node.output}

    def all(self, kind: str) -> list[onnx.NodeProto]:
        return [node for node in self._graph.node if node.op_type == kind]

    def maker(self, name: str, kind: str) -> onnx.NodeProto | None:
        """The node of that kind which makes the value; None where another does, or none."""
        node = self._makers.get(name)
        return node if node is not None and node.op_type == kind else None

    def constant(self, name: str) -> np.ndarray | None:
        return numpy_helper.to_array(self._constants[name]) if name in self._constants else None

    def numbers(self, name: str) -> list[int] | None:
        """Of a constant that has one axis or none."""
        values = self.constant(name)
        return None if values is None else values.reshape(-1).tolist()

    def keeps_axes(self, node: onnx.NodeProto, last: int) -> bool:
        """Up to that one: a Reshape that says so of them, by zeros, ONNX's for what stays as long as it is."""
        shape = self.numbers(node.input[1]) if node.op_type == "Reshape" and not attribute(node, "allowzero", 0) else None
        return shape is not None and not any(shape[: last + 1])

    def add_constant(self, name: str, values: np.ndarray) -> str:
        if name not in self._constants:
            self._constants[name] = numpy_helper.from_array(values, name)
            self._graph.initializer.append(self._constants[name])
        return name

    def add_first(self, kind: str, inputs: list[str], name: str, **attributes: int) -> str:
        if name not in self._makers:
            self._makers[name] = helper.make_node(kind, inputs, [name], name=name, **attributes)
            self._new.append(self._makers[name])
        return name

    def kinds_behind(self, name: str) -> set[str]:
        """Of all nodes that the value is made by."""
        kinds: set[str] = set()
        seen: set[str] = set()
        left = [name]
        while left:
            one = left.pop()
            if one in self._makers and one not in seen:
                kinds.add(self._makers[one].op_type)
                left.extend(self._makers[one].input)
            seen.add(one)
        return kinds

    def makes(self, name: str) -> bool:
        return name in self._makers

    @property
    def outputs(self) -> list[str]:
        return [one.name for one in self._graph.output]

    def copies(self) -> list[onnx.NodeProto]:
        """Of all nodes, each behind those that it needs."""
        copies = [onnx.NodeProto() for _ in self._graph.node]
        for copy, node in zip(copies, self._graph.node, strict=True):
            copy.CopyFrom(node)
        return copies

    def nodes_from_the_end(self) -> list[onnx.NodeProto]:
        """Each before those that it needs."""
        return list(reversed(self._graph.node))

    def readers(self, name: str) -> int:
        """Of a value, by nodes and by who asks the model."""
        return sum(list(node.input).count(name) for node in self._graph.node) + sum(one.name == name for one in self._graph.output)

    def shapes(self) -> dict[str, list[int | None]]:
        """Of all values of which as much as their number of axes is known. None: an axis of which no length is."""
        known = onnx.shape_inference.infer_shapes(self._model)
        described = [*known.graph.value_info, *known.graph.input, *known.graph.output]
        return {
            **{one.name: [axis.dim_value or None for axis in one.type.tensor_type.shape.dim] for one in described if one.type.tensor_type.HasField("shape")},
            **{name: list(constant.dims) for name, constant in self._constants.items()},
        }

    def add_behind(self, maker: onnx.NodeProto, kind: str, inputs: list[str], name: str) -> str:
        if name not in self._makers:
            self._makers[name] = helper.make_node(kind, inputs, [name], name=name)
            self._graph.node.insert(list(self._graph.node).index(maker) + 1, self._makers[name])
        return name

    def swap(self, first: onnx.NodeProto, second: onnx.NodeProto) -> None:
        """`second`, the only one that reads what `first` makes, comes before it from now on. Each has one input that is no constant."""
        between, end = f"{second.output[0]}_before_{first.op_type}", second.output[0]
        second.input[0], second.output[0] = first.input[0], between
        first.input[0], first.output[0] = between, end
        nodes = list(self._graph.node)
        one, other = nodes.index(first), nodes.index(second)
        nodes.insert(one, nodes.pop(other))
        self.replace_nodes(nodes)

    def replace_nodes(self, nodes: list[onnx.NodeProto]) -> None:
        del self._graph.node[:]
        self._graph.node.extend(nodes)
        self._find()

    def sweep(self) -> None:
        """Leaves out what nobody needs."""
        nodes = [*self._new, *self._graph.node]
        self._new.clear()
        while True:
            needed = {name for node in nodes for name in node.input} | {one.name for one in self._graph.output}
            kept = [node for node in nodes if needed.intersection(node.output)]
            if len(kept) == len(nodes):
                break
            nodes = kept
        constants = [one for one in self._graph.initializer if one.name in needed]
        del self._graph.initializer[:]
        self._graph.initializer.extend(constants)
        self.replace_nodes(nodes)

    def note_shapes(self) -> None:
        """What the engine makes one node of hangs on what it knows of shapes, which is not the same in each version of it."""
        del self._graph.value_info[:]
        self._graph.value_info.extend(onnx.shape_inference.infer_shapes(self._model).graph.value_info)
