"""What an exported graph works out anew for each batch, and need not: shapes, positions of the mask, token types that are all the same.

PyTorch's exporter writes down each step that the model's Python code makes, some eighty nodes that compute no more than the shape of the rows and where the
mask lies. A node costs a microsecond or two, however small the batch: of one with a single short text five of a hundred. Node by node answers stay the same, to the last bit.

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

COMPARES_PLACES = {"Abs", "Greater", "Less", "LessOrEqual", "Sub", "Trilu"}
"""Of what a mask is made by that looks at where a token stands too: it hides what comes later, or is far away."""


class _Graph:
    def __init__(self, model: onnx.ModelProto):
        self._graph = model.graph
        self._constants = {one.name: one for one in model.graph.initializer}
        self._makers = {name: node for node in model.graph.node for name in node.output}
        # In front of all others, which need them.
        self._new: list[onnx.NodeProto] = []

    def all(self, kind: str) -> list[onnx.NodeProto]:
        return [node for node in self._graph.node if node.op_type == kind]

    def maker(self, name: str, kind: str) -> onnx.NodeProto | None:
        """The node of that kind which makes the value; None where another does, or none."""
        node = self._makers.get(name)
        return node if node is not None and node.op_type == kind else None

    def constant(self, name: str) -> np.ndarray | None:
        return numpy_helper.to_array(self._constants[name]) if name in self._constants else None

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

    def sweep(self) -> None:
        """Leaves out what nobody needs, and what was known of shapes."""
        nodes = [*self._new, *self._graph.node]
        while True:
            needed = {name for node in nodes for name in node.input} | {one.name for one in self._graph.output}
            kept = [node for node in nodes if needed.intersection(node.output)]
            if len(kept) == len(nodes):
                break
            nodes = kept
        constants = [one for one in self._graph.initializer if one.name in needed]
        del self._graph.node[:], self._graph.initializer[:], self._graph.value_info[:]
        self._graph.node.extend(nodes)
        self._graph.initializer.extend(constants)


def simplified(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy that does the same. What is not as transformers' BERT has it stays as it is."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = _Graph(copy)
    _take_mask_as_it_is(graph)
    _take_first_token_type(graph)
    _take_shapes_from_inputs(graph)
    graph.sweep()
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


def _if_the_same(before: onnx.ModelProto, rows: list[list[int]]) -> onnx.ModelProto | None:
    """The simplified graph; None where it would answer otherwise, be it by a bit, or not at all."""
    # Graphs within it may use what only they need.
    if any(attribute.HasField("g") for node in before.graph.node for attribute in node.attribute):
        return None
    try:
        after = simplified(before)
        pairs = zip(_logits(before, rows), _logits(after, rows), strict=True)
        return after if all(np.array_equal(old, new) for old, new in pairs) else None
    except Exception:  # Whatever a graph unknown here makes the checker or the engine raise: it is as good as it was.
        return None


def simplify(path: Path, rows: list[list[int]]) -> bool:
    """In place; `rows` of ids are what it is tried with. False: the file is left as it is, since it would not answer them as before."""
    after = _if_the_same(onnx.load(str(path)), rows)
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
    folder: Path = parser.parse_args().folder
    path = max(folder.glob("[0-9]*/model.onnx"), key=lambda one: int(one.parent.name))
    before = len(onnx.load(str(path)).graph.node)
    settings = read_settings(folder)
    chance = np.random.default_rng(1)
    rows = [chance.integers(1, 1000, length).tolist() for length in (1, 9, 24, settings.max_length)]
    if not simplify(path, rows):
        raise SystemExit(f"{path} would not answer as before: it is left as it is")
    print(f"{path}: {before} nodes, {len(onnx.load(str(path)).graph.node)} now")
    write_configs(folder, settings)


if __name__ == "__main__":
    main()
