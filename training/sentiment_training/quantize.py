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

from .data import read_examples, read_tsv, trained_on
from .model import encode

SMOOTHING = 0.85
"""Share of a channel's range that moves into the weight. 0.5 and 0.7 were worse on sst-dev."""

EMBEDDING_BLOCK = 64
"""Neighbouring values of one embedding that share a scale, where they are stored in four bits."""


def calibration_rows(data: Path, tokenizer) -> list[list[int]]:
    """Token ids of 350 training texts of every kind that people send."""
    chance = random.Random(1)
    sentences = [row["text"] for row in read_tsv(data / "sst-train-phrases.tsv") if row["sentence"] == "1"]
    tweets = [example.text for example in read_examples(data / "tweets-train.tsv")]
    reviews = [example.text for example in trained_on(read_examples(data / "customer-reviews.tsv"))]
    texts = [*chance.sample(sentences, 200), *chance.sample(tweets, 100), *chance.sample(reviews, 50)]
    return encode(tokenizer, texts)


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


def quantize(source: Path, target: Path, rows: list[list[int]], small_embeddings: bool) -> None:
    """Writes the int8 form of the float ONNX file `source`; with `small_embeddings` those of words are stored in four bits."""
    prepared = target.with_suffix(".prepared.onnx")
    quant_pre_process(str(source), str(prepared), skip_symbolic_shape=True)
    if small_embeddings:
        _words_in_four_bits(prepared)
    else:
        _words_in_eight_bits(prepared)
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
    onnx.checker.check_model(str(target))


def _words_table(model: onnx.ModelProto) -> tuple[onnx.NodeProto, onnx.TensorProto]:
    """The look-up of word embeddings, and what it looks in: of all tables the largest."""
    tables = {weights.name: weights for weights in model.graph.initializer}
    lookups = [node for node in model.graph.node if node.op_type == "Gather" and node.input[0] in tables]
    words = max(lookups, key=lambda node: np.prod(tables[node.input[0]].dims))
    return words, tables[words.input[0]]


def _words_in_eight_bits(path: Path) -> None:
    """In place: each word's embedding in eight bits, with a scale of its own. One for the whole table is that of its wildest word."""
    model = onnx.load(str(path))
    lookup, table = _words_table(model)
    values = numpy_helper.to_array(table)
    scales = np.maximum(np.abs(values).max(1, keepdims=True) / 127, 1e-12).astype(np.float32)
    rounded = np.rint(values / scales).astype(np.int8)
    ids, out = lookup.input[1], lookup.output[0]
    nodes = [
        helper.make_node("Gather", ["words_int8", ids], ["word_int8"], name="word_values"),
        helper.make_node("Gather", ["words_scale", ids], ["word_scale"], name="word_scales"),
        helper.make_node("Cast", ["word_int8"], ["word_rounded"], name="word_cast", to=onnx.TensorProto.FLOAT),
        helper.make_node("Mul", ["word_rounded", "word_scale"], [out], name="word_embeddings"),
    ]
    graph = model.graph
    place = list(graph.node).index(lookup)
    graph.node.remove(lookup)
    for offset, node in enumerate(nodes):
        graph.node.insert(place + offset, node)
    graph.initializer.remove(table)
    graph.initializer.extend([numpy_helper.from_array(rounded, "words_int8"), numpy_helper.from_array(scales, "words_scale")])
    onnx.save(model, str(path))


def _words_in_four_bits(path: Path) -> None:
    """In place: each word's embedding in four bits, with a scale for each EMBEDDING_BLOCK values of it."""
    model = onnx.load(str(path))
    words, _ = _words_table(model)
    config = DefaultWeightOnlyQuantConfig(
        block_size=EMBEDDING_BLOCK, is_symmetric=True, op_types_to_quantize=("Gather",), quant_axes=(("Gather", 1),)
    )
    others = [node.name for node in model.graph.node if node.op_type == "Gather" and node.name != words.name]
    # It warns that it moves the file on to opset 21, the first with values of four bits.
    logging.getLogger("onnxruntime.quantization.matmul_nbits_quantizer").setLevel(logging.ERROR)
    quantizer = MatMulNBitsQuantizer(model, nodes_to_exclude=others, algo_config=config)
    quantizer.process()
    onnx.save(quantizer.model.model, str(path))
