"""int8 for CPU such that a text's answer does not depend on its neighbours in the batch.

`quantize_dynamic` takes one scale from the whole batch: on sst-dev nearly half of the texts then move by more than 0.01
between a batch of 32 and a batch of 1. So activations are quantized with fixed, calibrated ranges; weights per channel; what
comes out of a matrix product stays in float. Before that, activations with a few wild channels are evened out
(SmoothQuant, Xiao et al., ICML 2023: a channel's range moves from the activation into the weight, the product is the same).
docs/decisions.md has the measurements.
"""

from __future__ import annotations

import logging
import random
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from onnxruntime.quantization import (
    CalibrationDataReader,
    CalibrationMethod,
    QuantFormat,
    QuantType,
    quantize_static,
)
from onnxruntime.quantization.matmul_nbits_quantizer import DefaultWeightOnlyQuantConfig, MatMulNBitsQuantizer
from onnxruntime.quantization.shape_inference import quant_pre_process
from torch import nn

from .data import read_examples, read_tsv, trained_on, training_mix
from .model import encode
from .simplify import simplify

SMOOTHING = 0.85
"""Share of a channel's range that moves into the weight. 0.5 and 0.7 were worse on sst-dev."""

EMBEDDING_BLOCK = 64
"""Neighbouring values of one embedding that share a scale, where they are stored in four bits."""

COMMON_WORDS = 3500
"""Tokens that have eight bits where the others have four: nine of ten in most texts, and as many as the file's limit leaves room for."""


def calibration_rows(data: Path, tokenizer) -> list[list[int]]:
    """Token ids of 350 training texts of every kind that people send."""
    chance = random.Random(1)
    sentences = [row["text"] for row in read_tsv(data / "sst-train-phrases.tsv") if row["sentence"] == "1"]
    tweets = [example.text for example in read_examples(data / "tweets-train.tsv")]
    reviews = [example.text for example in trained_on(read_examples(data / "customer-reviews.tsv"))]
    texts = [*chance.sample(sentences, 200), *chance.sample(tweets, 100), *chance.sample(reviews, 50)]
    return encode(tokenizer, texts)


def common_words(data: Path, tokenizer) -> np.ndarray:
    """Ids of the tokens that come most often in the training texts, ascending."""
    counts = Counter(token for row in encode(tokenizer, [example.text for example in training_mix(data)]) for token in row)
    return np.array(sorted(token for token, _ in counts.most_common(COMMON_WORDS)))


class _Smoothed(nn.Module):
    """A linear layer whose input is scaled down per channel and whose weight is scaled up by the same."""

    def __init__(self, linear: nn.Linear, scale: torch.Tensor):
        super().__init__()
        with torch.no_grad():
            linear.weight.mul_(scale)
        self.linear = linear
        self.inverse = nn.Parameter(1 / scale)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        return self.linear(values * self.inverse)


def smooth(model: nn.Module, rows: list[list[int]], smoothing: float = SMOOTHING) -> None:
    """Evens out the inputs of all products of every layer, in place. Answers stay the same in float."""
    linears = {name: module for name, module in model.named_modules() if isinstance(module, nn.Linear) and ".layer." in name}
    ranges = {name: torch.zeros(module.in_features) for name, module in linears.items()}

    def watch(name: str):
        def hook(_module, inputs) -> None:
            seen = inputs[0].detach().abs().reshape(-1, ranges[name].numel()).amax(0)
            ranges[name] = torch.maximum(ranges[name], seen)

        return hook

    hooks = [module.register_forward_pre_hook(watch(name)) for name, module in linears.items()]
    with torch.inference_mode():
        for row in rows:
            ids = torch.tensor([row])
            model(input_ids=ids, attention_mask=torch.ones_like(ids))
    for hook in hooks:
        hook.remove()

    for name, linear in linears.items():
        weights = linear.weight.detach().abs().amax(0).clamp(min=1e-5)
        scale = (ranges[name].clamp(min=1e-5) ** smoothing / weights ** (1 - smoothing)).clamp(min=1e-3)
        parent, _, leaf = name.rpartition(".")
        setattr(model.get_submodule(parent), leaf, _Smoothed(linear, scale))


class _Rows(CalibrationDataReader):
    def __init__(self, rows: list[list[int]]):
        self._rows = iter(rows)

    def get_next(self) -> dict[str, np.ndarray] | None:
        row = next(self._rows, None)
        if row is None:
            return None
        ids = np.array([row], dtype=np.int64)
        return {"input_ids": ids, "attention_mask": np.ones_like(ids)}


def quantize(source: Path, target: Path, rows: list[list[int]], common: np.ndarray | None = None, *, packs: bool = False) -> None:
    """Writes the int8 form of the float ONNX file `source`. With the ids of `common` words the others' embeddings are stored in four bits. `packs`: as `simplify` has it."""
    prepared = target.with_suffix(".prepared.onnx")
    quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    if common is None:
        _words_in_eight_bits(prepared)
    else:
        _rare_words_in_four_bits(prepared, common)
    quantize_static(
        str(prepared),
        str(target),
        _Rows(rows),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        op_types_to_quantize=["MatMul", "Gemm"],
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        calibrate_method=CalibrationMethod.MinMax,
        extra_options={
            "MatMulConstBOnly": True,
            "WeightSymmetric": True,
            "OpTypesToExcludeOutputQuantization": ["MatMul", "Gemm"],
        },
    )
    prepared.unlink()
    by_length = sorted(rows, key=len)
    some = [by_length[0], by_length[len(rows) // 2], by_length[-1]]
    if not simplify(target, some):
        print("the int8 graph cannot be simplified: it is as PyTorch's exporter wrote it, and somewhat slower")
    elif packs and not simplify(target, some, packs=True):
        print("the int8 graph cannot leave padding out")


def _words_table(model: onnx.ModelProto) -> tuple[onnx.NodeProto, onnx.TensorProto]:
    """The look-up of word embeddings, and what it looks in: of all tables the largest."""
    tables = {weights.name: weights for weights in model.graph.initializer}
    lookups = [node for node in model.graph.node if node.op_type == "Gather" and node.input[0] in tables]
    words = max(lookups, key=lambda node: np.prod(tables[node.input[0]].dims))
    return words, tables[words.input[0]]


def _replace(
    graph: onnx.GraphProto, lookup: onnx.NodeProto, table: onnx.TensorProto, nodes: list[onnx.NodeProto], tables: dict[str, np.ndarray]
) -> None:
    """Puts `nodes` and the `tables` that they look in where `lookup` and its `table` were."""
    place = list(graph.node).index(lookup)
    graph.node.remove(lookup)
    graph.initializer.remove(table)
    for offset, node in enumerate(nodes):
        graph.node.insert(place + offset, node)
    graph.initializer.extend(numpy_helper.from_array(values, name) for name, values in tables.items())


def _eight_bits(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rounded, and a scale a row: one for the whole table is that of its wildest word."""
    scales = np.maximum(np.abs(values).max(1, keepdims=True) / 127, 1e-12).astype(np.float32)
    return np.rint(values / scales).astype(np.int8), scales


def _look_up(table: str, ids: str, out: str) -> list[onnx.NodeProto]:
    """Rows of the tables that `_eight_bits` makes, as floats."""
    return [
        helper.make_node("Gather", [f"{table}_int8", ids], [f"{out}_int8"], name=f"{table}_values"),
        helper.make_node("Gather", [f"{table}_scale", ids], [f"{out}_scale"], name=f"{table}_scales"),
        helper.make_node("Cast", [f"{out}_int8"], [f"{out}_rounded"], name=f"{table}_cast", to=onnx.TensorProto.FLOAT),
        helper.make_node("Mul", [f"{out}_rounded", f"{out}_scale"], [out], name=f"{table}_embeddings"),
    ]


def _words_in_eight_bits(path: Path) -> None:
    """In place: each word's embedding in eight bits, with a scale of its own."""
    model = onnx.load(str(path))
    lookup, table = _words_table(model)
    rounded, scales = _eight_bits(numpy_helper.to_array(table))
    nodes = _look_up("words", lookup.input[1], lookup.output[0])
    _replace(model.graph, lookup, table, nodes, {"words_int8": rounded, "words_scale": scales})
    onnx.save(model, str(path))


def _rare_words_in_four_bits(path: Path, common: np.ndarray) -> None:
    """In place: embeddings of common words in eight bits as above, the others in four with a scale for each EMBEDDING_BLOCK values."""
    model = onnx.load(str(path))
    lookup, table = _words_table(model)
    values = numpy_helper.to_array(table)
    is_common = np.zeros(len(values), dtype=bool)
    is_common[common] = True
    # Of a word in its own table.
    places = np.where(is_common, np.cumsum(is_common) - 1, np.cumsum(~is_common) - 1).astype(np.int32)
    rounded, scales = _eight_bits(values[is_common])
    ids = lookup.input[1]
    nodes = [
        helper.make_node("Gather", ["word_places", ids], ["place"], name="places"),
        # Both tables are looked in for each word: a rare one's place may lie beyond the common ones.
        helper.make_node("Min", ["place", "last_common"], ["common_place"], name="common_places"),
        *_look_up("common_words", "common_place", "common_word"),
        helper.make_node("Gather", ["rare_words", "place"], ["rare_word"], name="rare_words_lookup"),
        helper.make_node("Gather", ["word_is_common", ids], ["is_common"], name="commonness"),
        helper.make_node("Where", ["is_common", "common_word", "rare_word"], [lookup.output[0]], name="word_embeddings"),
    ]
    tables = {
        "word_places": places,
        "word_is_common": is_common[:, None],
        "last_common": np.array(len(common) - 1, dtype=np.int32),
        "common_words_int8": rounded,
        "common_words_scale": scales,
        "rare_words": values[~is_common],
    }
    _replace(model.graph, lookup, table, nodes, tables)
    config = DefaultWeightOnlyQuantConfig(
        block_size=EMBEDDING_BLOCK, is_symmetric=True, op_types_to_quantize=("Gather",), quant_axes=(("Gather", 1),)
    )
    others = [node.name for node in model.graph.node if node.op_type == "Gather" and node.name != "rare_words_lookup"]
    # It warns that it moves the file on to opset 21, the first with values of four bits.
    logging.getLogger("onnxruntime.quantization.matmul_nbits_quantizer").setLevel(logging.ERROR)
    quantizer = MatMulNBitsQuantizer(model, nodes_to_exclude=others, algo_config=config)
    quantizer.process()
    onnx.save(quantizer.model.model, str(path))
