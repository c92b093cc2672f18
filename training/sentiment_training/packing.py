"""A graph that leaves padding out by itself.

What works token by token, nearly all of a model, has the tokens of all rows one after the other, [1, tokens, ...], and none of the padding; attention alone has rows, [batch, sequence, ...].
So rows of different lengths may be in one batch. The graph's inputs stay as they are, and its answers, too: of what stands in
padding nothing was ever read.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import helper

from .graph import ALONG_AN_AXIS, Graph, attribute, is_token_by_token

PLACES = "packed_places"
"""[1, tokens]: where in the rows, laid end to end, the tokens are that are read."""
_ROWS = "packed_rows"
"""[batch, sequence]: which of those tokens stands there. Padding: the one before it, of which nobody reads that it is there."""
_FIRSTS = "packed_firsts"
"""[batch, 1]: which is the first of each row."""


def padding_cost_of(path: Path, max_length: int) -> float | None:
    """Of a token that is read, what a padded one costs the file, in rows of up to so many tokens; None: as much, since it does not leave padding out."""
    model = onnx.load(str(path), load_external_data=False)
    if not any(PLACES in node.output for node in model.graph.node):
        return None
    # Microseconds of fast, one thread, eleven rows of 20 tokens and one of up to 128: attention works on all, for each token of the longest row.
    attention = 0.04 * max_length
    return round((2.2 + attention) / (32.8 + attention), 1)


def leave_out_padding(graph: Graph) -> None:
    """A graph that does so already, or of which it cannot be told what works token by token, is left as it is."""
    if graph.makes(PLACES):
        return
    before = graph.copies()
    _quantize_before_turning(graph)
    packing = _Packing(graph)
    for node in graph.copies():
        packing.take(node)
    graph.replace_nodes([*_index_nodes(graph), *packing.nodes] if packing.is_of_use else before)


def _quantize_before_turning(graph: Graph) -> None:
    """A quarter of the bytes is turned then, and what is padding is not quantized."""
    for name in [node.output[0] for node in graph.all("QuantizeLinear")]:
        # By its name: a swap replaces the nodes.
        quantize = graph.maker(name, "QuantizeLinear")
        if quantize is None:
            continue
        turn = graph.maker(quantize.input[0], "Transpose")
        scale = graph.constant(quantize.input[1])
        if turn is not None and scale is not None and scale.size == 1 and graph.readers(turn.output[0]) == 1:
            graph.swap(turn, quantize)


def _index_nodes(graph: Graph) -> list[onnx.NodeProto]:
    def number(name: str, value: int | list[int]) -> str:
        return graph.add_constant(f"packed_{name}", np.array(value, dtype=np.int64))

    one, axis = number("one", 1), number("axis", 0)
    start, end, along = number("start", [0]), number("end", [1]), number("along", [1])
    flat = number("flat", [-1])
    return [
        _node("Reshape", ["attention_mask", flat], "packed_mask"),
        _node("NonZero", ["packed_mask"], PLACES),
        _node("CumSum", ["packed_mask", axis], "packed_counts"),
        _node("Sub", ["packed_counts", one], "packed_numbers"),
        _node("Shape", ["attention_mask"], "packed_shape"),
        _node("Reshape", ["packed_numbers", "packed_shape"], _ROWS),
        _node("Slice", [_ROWS, start, end, along], _FIRSTS),
    ]


def _node(kind: str, inputs: list[str], name: str, **attributes: int) -> onnx.NodeProto:
    return helper.make_node(kind, inputs, [name], name=name, **attributes)


class _Packing:
    """Takes nodes in their order, and has `nodes` in place of them."""

    def __init__(self, graph: Graph):
        self._graph = graph
        self._shapes = graph.shapes()
        self._packed: set[str] = set()
        # Of others, those that have all tokens of the rows, and along which axis.
        self._axes: dict[str, int] = {}
        self._made: set[str] = set()
        self._repacked = 0
        self.nodes: list[onnx.NodeProto] = []

    @property
    def is_of_use(self) -> bool:
        """What comes out of attention is packed again, and who asks the model is told nothing that is packed."""
        return self._repacked > 0 and not any(name in self._packed for name in self._graph.outputs)

    def take(self, node: onnx.NodeProto) -> None:
        if node.op_type == "Gather" and self._looks_up(node):
            node.input[1] = self._packed_ids(node.input[1])
            self._packed.add(node.output[0])
            self.nodes.append(node)
        elif not any(name in self._packed for name in node.input):
            self._take_rows(node)
        elif self._is_token_by_token(node):
            self._packed.update(node.output)
            self.nodes.append(node)
        elif self._is_first_token(node):
            node.input[0] = self._unpacked(node.input[0], _FIRSTS)
            self.nodes.append(node)
        else:
            for place, name in enumerate(node.input):
                if name in self._packed:
                    node.input[place] = self._unpacked(name, _ROWS)
            self._take_rows(node)

    def _looks_up(self, gather: onnx.NodeProto) -> bool:
        """A row of a table for each token."""
        table, ids = gather.input
        return attribute(gather, "axis", 0) == 0 and self._graph.constant(table) is not None and self._rank(table) == 2 and self._rank(ids) == 2

    def _packed_ids(self, ids: str) -> str:
        """[1, tokens] of [batch, sequence], or of what is the same for all rows."""
        packed = f"{ids}_packed"
        flat = self._graph.add_constant("packed_flat", np.array([-1], dtype=np.int64))
        whole = ids if ids == "input_ids" else self._add("Expand", [ids, "packed_shape"], f"{ids}_of_each")
        return self._add("Gather", [self._add("Reshape", [whole, flat], f"{ids}_flat"), PLACES], packed, axis=0)

    def _unpacked(self, name: str, which: str) -> str:
        tokens = self._add("Squeeze", [name, self._graph.add_constant("packed_batch", np.array([0], dtype=np.int64))], f"{name}_tokens")
        rows = self._add("Gather", [tokens, which], f"{name}_{which}", axis=0)
        if which == _ROWS:
            self._axes[rows] = 1
            self._shapes[rows] = self._shapes.get(name, [])
        return rows

    def _take_rows(self, node: onnx.NodeProto) -> None:
        axis = self._axis_of(node)
        name = node.output[0]
        self.nodes.append(node)
        width = self._shapes.get(name, [])[-1:]
        if node.op_type == "Reshape" and axis == 1 and self._rank(name) == 3 and width != [None]:
            node.output[0] = f"{name}_padded"
            shape = self._graph.add_constant(f"packed_flat_{width[0]}", np.array([-1, *width], dtype=np.int64))
            self._add("Gather", [self._add("Reshape", [node.output[0], shape], f"{name}_flat"), PLACES], name, axis=0)
            self._packed.add(name)
            self._repacked += 1
        elif axis is not None:
            self._axes[name] = axis

    def _axis_of(self, node: onnx.NodeProto) -> int | None:
        """Along which the node's output has all tokens of the rows; None: it has not, or it cannot be told."""
        if len(node.output) != 1 or not all(name in self._shapes for name in [*node.input, *node.output]):
            return None
        rank = self._rank(node.output[0])
        axes = {self._axes[name] + rank - self._rank(name) for name in node.input if name in self._axes}
        first = self._axes.get(node.input[0])
        if is_token_by_token(node, rank) and len(axes) == 1:
            axis = axes.pop()
            return axis if node.op_type not in ALONG_AN_AXIS or axis < rank - 1 else None
        if first is None:
            return None
        if node.op_type == "Transpose":
            return list(attribute(node, "perm", range(rank)[::-1])).index(first)
        if node.op_type == "MatMul":
            return first if first == self._rank(node.input[0]) - 2 == rank - 2 else None
        return first if self._graph.keeps_axes(node, first) else None

    def _is_token_by_token(self, node: onnx.NodeProto) -> bool:
        others = [name for name in node.input if name not in self._packed]
        if node.op_type == "MatMul":
            return node.input[1] not in self._packed and self._is_fixed(node.input[1])
        if node.op_type == "Reshape":
            return self._graph.keeps_axes(node, 1)
        # Of others one value, or one for each of the last axis.
        return is_token_by_token(node, self._rank(node.output[0])) and all(self._is_fixed(name) and self._rank(name) <= 1 for name in others)

    def _is_fixed(self, name: str) -> bool:
        """Weights, in whatever form."""
        maker = self._graph.maker(name, "DequantizeLinear")
        return self._graph.constant(name if maker is None else maker.input[0]) is not None

    def _is_first_token(self, node: onnx.NodeProto) -> bool:
        numbers = [self._graph.numbers(name) for name in node.input[1:]]
        if node.op_type == "Slice":
            return numbers == [[0], [1], [1]]
        return node.op_type == "Gather" and attribute(node, "axis", 0) == 1 and numbers == [[0]]

    def _rank(self, name: str) -> int:
        return len(self._shapes.get(name, []))

    def _add(self, kind: str, inputs: list[str], name: str, **attributes: int) -> str:
        if name not in self._made:
            self._made.add(name)
            self.nodes.append(_node(kind, inputs, name, **attributes))
        return name
