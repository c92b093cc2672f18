"""The ONNX files of an imported model: exported, compared with the model itself, and made int8."""

from __future__ import annotations

import random
import warnings
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import nn

from .export import export_float
from .import_source import PROBES, first_line
from .model import pad
from .onnx_model import OnnxModel
from .quantize import quantize, smooth

MAX_FILE_BYTES = 2_000_000_000
"""protobuf, and so an ONNX file, cannot be larger than 2 GiB."""
TOLERANCE = 1e-3
"""Of a logit: float32 of two engines differs by less, another mask or other positions by much more."""
CALIBRATION_TEXTS = 350
PAD_TOKENS = ("[PAD]", "<pad>")


def pad_id_of(tokenizer: Tokenizer) -> int:
    """As the server finds it in a tokenizer.json without padding."""
    found = [tokenizer.token_to_id(token) for token in PAD_TOKENS]
    return next((number for number in found if number is not None), 0)


def encode_within(tokenizer: Tokenizer, texts: list[str], max_length: int) -> list[list[int]]:
    """Ids with the special tokens, cut to `max_length` with the last special ones kept."""
    cutting = Tokenizer.from_str(tokenizer.to_str())
    cutting.enable_truncation(max_length)
    return [encoding.ids for encoding in cutting.encode_batch(texts)]


def _export(model: nn.Module, target: Path) -> None:
    with warnings.catch_warnings():
        # The tracer warns of branches on shapes; what matters of them shows in _differences.
        warnings.simplefilter("ignore")
        export_float(model, target)
    # The exporter leaves the model as its new wrapper is: training, with dropout.
    model.eval()


def export_checked(model: nn.Module, tokenizer: Tokenizer, max_length: int, target: Path) -> None:
    """Writes the float file. SystemExit where it would not answer as the model does, alone or beside other texts."""
    size = sum(weights.numel() * weights.element_size() for weights in model.parameters())
    if size > MAX_FILE_BYTES:
        raise SystemExit(f"the model has {size / 1e9:.1f} GB of weights, one ONNX file holds 2: take a smaller one")
    try:
        _export(model, target)
        differences = _differences(model, tokenizer, max_length, target)
    except Exception as error:  # Whatever an architecture unknown here makes the exporter or the engine raise.
        raise SystemExit(
            f"the model cannot be exported for {max_length} tokens ({first_line(error)}): give a smaller --max-length, or take another model"
        ) from error
    for where, difference in differences.items():
        if not difference <= TOLERANCE:
            raise SystemExit(f"the exported model answers texts {where} otherwise (by up to {difference:.4f}): take one of another architecture")


def _differences(model: nn.Module, tokenizer: Tokenizer, max_length: int, path: Path) -> dict[str, float]:
    """How far the file's logits are from the model's, at most."""
    pad_id = pad_id_of(tokenizer)
    short = encode_within(tokenizer, list(PROBES), min(max_length, 64))
    # By itself: in the batch of the others it would take a large model minutes.
    longest = encode_within(tokenizer, [" ".join(PROBES) * max_length], max_length)
    with torch.inference_mode():
        wanted = np.array([model(*pad([row], pad_id)).logits[0].numpy() for row in short + longest])
    exported = OnnxModel(path, pad_id)
    found = {"alone": exported.each(short + longest), "beside longer ones": exported.together(short)}
    return {where: float(np.abs(logits - wanted[: len(logits)]).max()) for where, logits in found.items()}


def calibration_texts(texts: list[str]) -> list[str]:
    return random.Random(1).sample(texts, min(CALIBRATION_TEXTS, len(texts)))


def make_int8(model: nn.Module, rows: list[list[int]], pad_id: int, float_file: Path, target: Path) -> float:
    """Writes the int8 form, and returns the share of the rows whose label is that of `float_file`. Changes `model`."""
    smooth(model, rows)
    smoothed_file = target.with_suffix(".smoothed.onnx")
    _export(model, smoothed_file)
    quantize(smoothed_file, target, rows, packs=True)
    in_float, in_int8 = (OnnxModel(file, pad_id).each(rows, progress="comparing") for file in (float_file, target))
    return float(np.mean(in_float.argmax(1) == in_int8.argmax(1)))
