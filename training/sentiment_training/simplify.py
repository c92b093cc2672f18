"""What an exported graph works out for each batch, and need not: shapes, positions of the mask, token types that are all the same, and what nobody reads.

PyTorch's exporter writes down each step that the model's Python code makes, some eighty nodes that compute no more than the shape of the rows and where the
mask lies. A node costs a microsecond or two, however small the batch: of one with a single short text five of a hundred. And the head reads one token of the last
layer, which is worked out for all: a fifth of a model of three layers. Node by node answers stay the same, to the last bit; as the engine fuses nodes they are rounded
otherwise, unless with --fuse-norms.

    python -m sentiment_training.simplify triton-model-repo/sentiment_fast
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from .model import pad
from .repository import read_settings, write_configs

MASKED = -1e30
"""What is below it is what a graph adds to the scores of tokens that are not to be read."""

TOKEN_BY_TOKEN = {"Add", "Cast", "DequantizeLinear", "Div", "Erf", "LayerNormalization", "Mul", "Pow", "QuantizeLinear", "Relu", "Softmax", "Sqrt", "Sub", "Sum", "Tanh"}
"""What gives a token the same whatever the others are: on each value by itself, or along the last axis."""

ALONG_AN_AXIS = {"LayerNormalization", "Softmax"}

COMPARES_PLACES = {"Abs", "Greater", "Less", "LessOrEqual", "Sub", "Trilu"}
"""Of what a mask is made by that looks at where a token stands too: it hides what comes later, or is far away."""


class _Graph:
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
        del self._graph.node[:], self._graph.initializer[:]
        self._graph.node.extend(nodes)
        self._graph.initializer.extend(constants)
        self._find()

    def note_shapes(self) -> None:
        """What the engine makes one node of hangs on what it knows of shapes, which is not the same in each version of it."""
        del self._graph.value_info[:]
        self._graph.value_info.extend(onnx.shape_inference.infer_shapes(self._model).graph.value_info)


def simplified(model: onnx.ModelProto, *, fuses_norms: bool = False) -> onnx.ModelProto:
    """A copy that does the same. What is not as transformers' BERT has it stays as it is. `fuses_norms`: Adds before norms stay too, which onnxruntime makes one node of."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = _Graph(copy)
    _take_mask_as_it_is(graph)
    _take_first_token_type(graph)
    _take_shapes_from_inputs(graph)
    # What is left out by now would seem to read what the head alone reads.
    graph.sweep()
    _leave_out_unread_tokens(graph)
    if not fuses_norms:
        _keep_residuals_from_norms(graph)
    graph.sweep()
    graph.note_shapes()
    onnx.checker.check_model(copy)
    return copy


def _take_mask_as_it_is(graph: _Graph) -> None:
    """attention_mask [batch, sequence] is spread over heads and queries by whoever adds it; the exporter gathers it for each query."""
    for where in graph.all("Where"):
        kept, masked = (graph.constant(name) for name in where.input[1:])
        if kept is None or masked is None or kept.size != 1 or masked.size != 1:
            continue
        is_mask = kept.item() == 0 and masked.item() < MASKED and _is_added_to_scores(graph, where.output[0])
        if is_mask and not graph.kinds_behind(where.input[0]) & COMPARES_PLACES:
            axes = graph.add_constant("mask_axes", np.array([1, 2], dtype=np.int64))
            read = graph.add_first("Cast", ["attention_mask"], "mask_read", to=TensorProto.BOOL)
            where.input[0] = graph.add_first("Unsqueeze", [read, axes], "mask_of_rows")


def _is_added_to_scores(graph: _Graph, name: str) -> bool:
    sums = (graph.maker(softmax.input[0], "Add") for softmax in graph.all("Softmax"))
    return any(one is not None and name in one.input for one in sums)


def _take_first_token_type(graph: _Graph) -> None:
    """Texts come without token types, which are zeros then: a row that is the same for all tokens is looked up for each."""
    for add in graph.all("Add"):
        for place, name in enumerate(add.input):
            lookup = graph.maker(name, "Gather")
            if lookup is not None and "token_type_embeddings" in name:
                table = graph.constant(lookup.input[0])
                if table is not None:
                    add.input[place] = graph.add_constant("token_type", table[0].copy())


def _take_shapes_from_inputs(graph: _Graph) -> None:
    """[batch, sequence, ...] of a tensor that has both in front already: ONNX has 0 for what stays."""
    for reshape in graph.all("Reshape"):
        concat = graph.maker(reshape.input[1], "Concat")
        if concat is None or len(concat.input) < 3:
            continue
        rows = [_axis_of(graph, name) for name in concat.input[:2]]
        rest = [graph.constant(name) for name in concat.input[2:]]
        if rows == [0, 1] and all(one is not None and one.size == 1 for one in rest):
            shape = [0, 0, *(int(one.item()) for one in rest if one is not None)]
            name = "shape_" + "_".join(map(str, shape))
            reshape.input[1] = graph.add_constant(name, np.array(shape, dtype=np.int64))


def _leave_out_unread_tokens(graph: _Graph) -> None:
    """The head reads the first token alone, so that the last layer need not work out the others but as keys and values."""
    shapes = graph.shapes()
    # By value: who needs only its first part, of which input of theirs it is, and along which axis.
    asked: dict[str, list[tuple[onnx.NodeProto, int, int]]] = {}
    for node in graph.nodes_from_the_end():
        if node.op_type == "Gather" and _is_first_token(graph, node, shapes):
            asked.setdefault(node.input[0], []).append((node, 0, 1))
        who = asked.pop(node.output[0], [])
        if not who:
            continue
        axes = {axis for _, _, axis in who}
        parts = _parts(graph, node, axes.pop(), shapes) if len(axes) == 1 and len(who) == graph.readers(node.output[0]) else None
        for place, axis in parts or []:
            asked.setdefault(node.input[place], []).append((node, place, axis))
        # Where only the head reads it, its Gather is enough.
        if parts is None and any(reader.op_type != "Gather" for reader, _, _ in who):
            for reader, place, axis in who:
                numbers = [graph.add_constant(f"first_token_{one}", np.array([one], dtype=np.int64)) for one in (0, 1, axis)]
                name = f"{node.output[0]}_first_{axis}"
                reader.input[place] = graph.add_behind(node, "Slice", [node.output[0], *numbers], name)


def _is_first_token(graph: _Graph, gather: onnx.NodeProto, shapes: dict[str, list[int | None]]) -> bool:
    """Of rows of tokens, [batch, sequence, hidden]."""
    return _attribute(gather, "axis", 0) == 1 and graph.numbers(gather.input[1]) == [0] and len(shapes.get(gather.input[0], [])) == 3


def _attribute(node: onnx.NodeProto, name: str, default):
    return next((helper.get_attribute_value(one) for one in node.attribute if one.name == name), default)


def _parts(graph: _Graph, node: onnx.NodeProto, axis: int, shapes: dict[str, list[int | None]]) -> list[tuple[int, int]] | None:
    """Of which inputs the node needs only the first part, and along which of their axes, to make the first part along `axis`; None: it cannot be told."""
    if len(node.output) != 1 or any(name not in shapes for name in [*node.input, *node.output]):
        return None
    ranks = [len(shapes[name]) for name in node.input]
    rank = len(shapes[node.output[0]])
    along = _attribute(node, "axis", -1) if node.op_type in ALONG_AN_AXIS else -1
    if node.op_type in TOKEN_BY_TOKEN and axis < rank - 1 and along in (-1, rank - 1):
        # What has fewer axes, or one value along this one, is the same for all.
        own = [(place, axis - rank + ranks[place]) for place in range(len(ranks))]
        return [(place, one) for place, one in own if one >= 0 and shapes[node.input[place]][one] != 1]
    if node.op_type == "MatMul" and axis == rank - 2 and ranks[0] == rank and _is_exact(graph, node):
        return [(0, axis)]
    if node.op_type == "Slice" and [graph.numbers(name) for name in node.input[1:]] == [[0], [1], [axis]]:
        return []
    if node.op_type == "Transpose":
        return [(0, _attribute(node, "perm", range(rank)[::-1])[axis])]
    if node.op_type == "Reshape" and not _attribute(node, "allowzero", 0):
        shape = graph.numbers(node.input[1])
        # Zero: as long as the same axis of what is reshaped.
        return [(0, axis)] if shape is not None and not any(shape[: axis + 1]) else None
    return None


def _is_exact(graph: _Graph, product: onnx.NodeProto) -> bool:
    """A single row is multiplied as several are: with weights, and of integers. Of floats both of which are worked out onnxruntime rounds a single row otherwise."""
    return graph.constant(product.input[1]) is not None or graph.maker(product.input[1], "DequantizeLinear") is not None


def _keep_residuals_from_norms(graph: _Graph) -> None:
    """onnxruntime makes one node of an Add and the LayerNormalization behind it, which takes several times as long as the two on a CPU; of a Sum it does not. (An Add of a constant it does not fuse so.)"""
    for norm in graph.all("LayerNormalization"):
        add = graph.maker(norm.input[0], "Add")
        if add is not None and all(graph.constant(name) is None for name in add.input):
            add.op_type = "Sum"


def _axis_of(graph: _Graph, name: str) -> int | None:
    """Which axis of a tensor's shape the value is; None: it is something else."""
    unsqueeze = graph.maker(name, "Unsqueeze")
    gather = graph.maker(unsqueeze.input[0], "Gather") if unsqueeze is not None else None
    if gather is None or graph.maker(gather.input[0], "Shape") is None:
        return None
    axis = graph.constant(gather.input[1])
    return int(axis.item()) if axis is not None and axis.size == 1 else None


def _logits(model: onnx.ModelProto, rows: list[list[int]]) -> list[np.ndarray]:
    """Of each row alone, and of all in one padded batch; node by node, since what the engine fuses of floats rounds otherwise."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    # What it cannot run is told by an exception.
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    batches = (pad(some, 0) for some in [*([row] for row in rows), rows])
    return [session.run(["logits"], {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})[0] for ids, mask in batches]


def _if_the_same(before: onnx.ModelProto, rows: list[list[int]], fuses_norms: bool) -> onnx.ModelProto | None:
    """The simplified graph; None where it would answer otherwise, be it by a bit, or not at all."""
    # Graphs within it may use what only they need.
    if any(attribute.HasField("g") for node in before.graph.node for attribute in node.attribute):
        return None
    try:
        after = simplified(before, fuses_norms=fuses_norms)
        pairs = zip(_logits(before, rows), _logits(after, rows), strict=True)
        return after if all(np.array_equal(old, new) for old, new in pairs) else None
    except Exception:  # Whatever a graph unknown here makes the checker or the engine raise: it is as good as it was.
        return None


def simplify(path: Path, rows: list[list[int]], *, fuses_norms: bool = False) -> bool:
    """In place; `rows` of ids are what it is tried with. False: the file is left as it is, since it would not answer them as before."""
    after = _if_the_same(onnx.load(str(path)), rows, fuses_norms)
    if after is None:
        return False
    # Whoever reads the old file meanwhile has it whole.
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        file = Path(folder) / path.name
        onnx.save(after, str(file))
        file.replace(path)
    return True


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="of a model: its newest version is simplified, and its configurations are written anew")
    parser.add_argument(
        "--fuse-norms",
        action="store_true",
        help="have onnxruntime make one node of a norm and the Add before it still: slower, and rounded as before, so that a model that was scored answers the same to the last bit",
    )
    given = parser.parse_args()
    folder: Path = given.folder
    path = max(folder.glob("[0-9]*/model.onnx"), key=lambda one: int(one.parent.name))
    before = len(onnx.load(str(path)).graph.node)
    settings = read_settings(folder)
    chance = np.random.default_rng(1)
    rows = [chance.integers(1, 1000, length).tolist() for length in (1, 9, 24, settings.max_length)]
    if not simplify(path, rows, fuses_norms=given.fuse_norms):
        raise SystemExit(f"{path} would not answer as before: it is left as it is")
    print(f"{path}: {before} nodes, {len(onnx.load(str(path)).graph.node)} now")
    write_configs(folder, settings)


if __name__ == "__main__":
    main()
