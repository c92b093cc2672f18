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
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto

from .graph import Graph, attribute, is_token_by_token
from .model import pad
from .packing import leave_out_padding, padding_cost_of
from .repository import read_settings, write_configs

MASKED = -1e30
"""What is below it is what a graph adds to the scores of tokens that are not to be read."""

COMPARES_PLACES = {"Abs", "Greater", "Less", "LessOrEqual", "Sub", "Trilu"}
"""Of what a mask is made by that looks at where a token stands too: it hides what comes later, or is far away."""


def simplified(model: onnx.ModelProto, *, fuses_norms: bool = False, packs: bool = False) -> onnx.ModelProto:
    """
    A copy that does the same. What is not as transformers' BERT has it stays as it is. `fuses_norms`: Adds before norms stay too, which onnxruntime makes one node of.
    `packs`: padding is left out (packing.py).
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = Graph(copy)
    _take_mask_as_it_is(graph)
    _take_first_token_type(graph)
    _take_shapes_from_inputs(graph)
    # What is left out by now would seem to read what the head alone reads.
    graph.sweep()
    _leave_out_unread_tokens(graph)
    if not fuses_norms:
        _keep_residuals_from_norms(graph)
    graph.sweep()
    if packs:
        leave_out_padding(graph)
        graph.sweep()
    graph.note_shapes()
    onnx.checker.check_model(copy)
    return copy


def _take_mask_as_it_is(graph: Graph) -> None:
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


def _is_added_to_scores(graph: Graph, name: str) -> bool:
    sums = (graph.maker(softmax.input[0], "Add") for softmax in graph.all("Softmax"))
    return any(one is not None and name in one.input for one in sums)


def _take_first_token_type(graph: Graph) -> None:
    """Texts come without token types, which are zeros then: a row that is the same for all tokens is looked up for each."""
    for add in graph.all("Add"):
        for place, name in enumerate(add.input):
            lookup = graph.maker(name, "Gather")
            if lookup is not None and "token_type_embeddings" in name:
                table = graph.constant(lookup.input[0])
                if table is not None:
                    add.input[place] = graph.add_constant("token_type", table[0].copy())


def _take_shapes_from_inputs(graph: Graph) -> None:
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


def _leave_out_unread_tokens(graph: Graph) -> None:
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


def _is_first_token(graph: Graph, gather: onnx.NodeProto, shapes: dict[str, list[int | None]]) -> bool:
    """Of rows of tokens, [batch, sequence, hidden]."""
    return attribute(gather, "axis", 0) == 1 and graph.numbers(gather.input[1]) == [0] and len(shapes.get(gather.input[0], [])) == 3


def _parts(graph: Graph, node: onnx.NodeProto, axis: int, shapes: dict[str, list[int | None]]) -> list[tuple[int, int]] | None:
    """Of which inputs the node needs only the first part, and along which of their axes, to make the first part along `axis`; None: it cannot be told."""
    if len(node.output) != 1 or any(name not in shapes for name in [*node.input, *node.output]):
        return None
    ranks = [len(shapes[name]) for name in node.input]
    rank = len(shapes[node.output[0]])
    if is_token_by_token(node, rank) and axis < rank - 1:
        # What has fewer axes, or one value along this one, is the same for all.
        own = [(place, axis - rank + ranks[place]) for place in range(len(ranks))]
        return [(place, one) for place, one in own if one >= 0 and shapes[node.input[place]][one] != 1]
    if node.op_type == "MatMul" and axis == rank - 2 and ranks[0] == rank and _is_exact(graph, node):
        return [(0, axis)]
    if node.op_type == "Slice" and [graph.numbers(name) for name in node.input[1:]] == [[0], [1], [axis]]:
        return []
    if node.op_type == "Transpose":
        return [(0, attribute(node, "perm", range(rank)[::-1])[axis])]
    return [(0, axis)] if graph.keeps_axes(node, axis) else None


def _is_exact(graph: Graph, product: onnx.NodeProto) -> bool:
    """A single row is multiplied as several are: with weights, and of integers. Of floats both of which are worked out onnxruntime rounds a single row otherwise."""
    return graph.constant(product.input[1]) is not None or graph.maker(product.input[1], "DequantizeLinear") is not None


def _keep_residuals_from_norms(graph: Graph) -> None:
    """onnxruntime makes one node of an Add and the LayerNormalization behind it, which takes several times as long as the two on a CPU; of a Sum it does not. (An Add of a constant it does not fuse so.)"""
    for norm in graph.all("LayerNormalization"):
        add = graph.maker(norm.input[0], "Add")
        if add is not None and all(graph.constant(name) is None for name in add.input):
            add.op_type = "Sum"


def _axis_of(graph: Graph, name: str) -> int | None:
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


def _if_the_same(before: onnx.ModelProto, rows: list[list[int]], **how: bool) -> onnx.ModelProto | None:
    """The simplified graph; None where it would answer otherwise, be it by a bit, or not at all."""
    # Graphs within it may use what only they need.
    if any(attribute.HasField("g") for node in before.graph.node for attribute in node.attribute):
        return None
    try:
        after = simplified(before, **how)
        pairs = zip(_logits(before, rows), _logits(after, rows), strict=True)
        return after if all(np.array_equal(old, new) for old, new in pairs) else None
    except Exception:  # Whatever a graph unknown here makes the checker or the engine raise: it is as good as it was.
        return None


def simplify(path: Path, rows: list[list[int]], *, fuses_norms: bool = False, packs: bool = False) -> bool:
    """In place; `rows` of ids are what it is tried with. False: the file is left as it is, since it would not answer them as before."""
    after = _if_the_same(onnx.load(str(path)), rows, fuses_norms=fuses_norms, packs=packs)
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
    parser.add_argument("--pack", action="store_true", help="have it leave padding out by itself, so that texts of different lengths may share a batch")
    given = parser.parse_args()
    folder: Path = given.folder
    path = max(folder.glob("[0-9]*/model.onnx"), key=lambda one: int(one.parent.name))
    before = len(onnx.load(str(path)).graph.node)
    settings = read_settings(folder)
    chance = np.random.default_rng(1)
    rows = [chance.integers(1, 100, length).tolist() for length in (1, 9, 24, settings.max_length)]
    if not simplify(path, rows, fuses_norms=given.fuse_norms, packs=given.pack):
        raise SystemExit(f"{path} would not answer as before: it is left as it is")
    print(f"{path}: {before} nodes, {len(onnx.load(str(path)).graph.node)} now")
    padding_cost = padding_cost_of(path, settings.max_length)
    write_configs(folder, replace(settings, padding_cost=padding_cost))
    if given.pack and padding_cost is None:
        raise SystemExit(f"{path} is simplified, but it cannot be told what of it works token by token: it does not leave padding out")


if __name__ == "__main__":
    main()
