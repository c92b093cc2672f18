"""Writes a trained tier into the model repository: ONNX (float, then int8), configurations, tokenizer.json, labels.txt, card.

    python -m sentiment_training.export --tier fast --data DATA --work build/training --repository triton-model-repo
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from onnxruntime.transformers.float16 import convert_float_to_float16
from torch import nn

from .base import BASES, DROPPED_LAYER, load_tokenizer, load_trained
from .calibrate import calibration_error, fit_temperature, probabilities_of
from .model import MAX_TOKENS, encode, trim_positions
from .onnx_model import OnnxModel
from .packing import padding_cost_of
from .quantize import calibration_rows, common_words, quantize, smooth
from .repository import Settings, write_folder
from .slices import Slice, dev_slices

OPSET = 17
MAX_BYTES = {"fast": 25_000_000, "balanced": 25_000_000, "accurate": 95_000_000}
"""A committed model file stays below this."""
PACKED = {"fast"}
"""Tiers whose int8 file leaves padding out by itself."""

CARD = """\
# {name}

Says of an English text whether it is negative, neutral or positive. {layers} transformer layers of {width}, {parameters:.1f} million parameters,
int8, {megabytes:.1f} MB.

- **Base**: {base} (Apache-2.0), {cut}, with a new three-way head.
- **Trained on**: phrases and sentences of the Stanford Sentiment Treebank's training trees, TweetEval sentiment (its test split),
  nine tenths of the customer reviews (Hu and Liu) and of a sample of Amazon reviews. `training/README.md` says where they come from. Grades 0
  and 1 are negative, 2 neutral, 3 and 4 positive. {taught} Never trained on: SST dev and test, TweetEval validation, the other tenths,
  the slices of `training/slices`.
- **Inputs**: `input_ids`, `attention_mask`, int64 [batch, sequence], at most {max_tokens} tokens with {special};
  **output** `logits`, float [batch, 3]: negative, neutral, positive. ONNX opset {opset}.
- **Emoji** are read as words: the normalizer of `tokenizer.json` turns them into some.
- **Quantized**: fixed activation ranges from 350 training texts, weights per channel, embeddings of words
  in {embeddings}. An answer does not depend on what else is in
  the batch. Mean change of the score against float on SST dev: {change:.4f}.
- **Calibrated**: temperature {temperature}, fitted on SST dev and TweetEval validation. Expected calibration error there (15 bins): {before:.4f}
  before, {after:.4f} after.
- **Limits**: English. Trained mostly on film reviews and tweets: irony, mixed opinions and texts about other things are where it
  errs most. It judges wording, not truth. Not for decisions about people.

## Float against int8

Accuracy of the sets that choices were made on, by the training pipeline.

| set | texts | float | int8 | difference, points |
|---|---|---|---|---|
{quantization}

## Scores

Of this file, through the server: `make models-score`.

<!-- scores -->
"""


class _Logits(nn.Module):
    def __init__(self, model: nn.Module):
        super().__init__()
        self.model = model

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        return self.model(input_ids=input_ids, attention_mask=attention_mask).logits


def export_float(model: nn.Module, target: Path) -> None:
    sample = torch.ones(2, 8, dtype=torch.long)
    rows = {0: "batch", 1: "sequence"}
    torch.onnx.export(
        _Logits(model).eval(),
        (sample, sample),
        str(target),
        dynamo=False,
        opset_version=OPSET,
        input_names=["input_ids", "attention_mask"],
        output_names=["logits"],
        dynamic_axes={"input_ids": rows, "attention_mask": rows, "logits": {0: "batch"}},
    )


def opset_of(path: Path) -> int:
    return next(one.version for one in onnx.load(str(path), load_external_data=False).opset_import if one.domain == "")


def export_half(source: Path, target: Path) -> None:
    """fp16, inputs and outputs as they are: for GPUs and TensorRT."""
    onnx.save(convert_float_to_float16(onnx.load(str(source)), keep_io_types=True), str(target))


@dataclass(frozen=True)
class Measured:
    """A file's logits of every slice."""

    slices: list[Slice]
    logits: list[np.ndarray]

    @staticmethod
    def of(path: Path, tokenizer, slices: list[Slice], pad_id: int) -> Measured:
        rows = [encode(tokenizer, [example.text for example in one.examples]) for one in slices]
        model = OnnxModel(path, pad_id)
        return Measured(slices, [model.each(some) for some in rows])

    def accuracy(self, place: int) -> float:
        return float(self.slices[place].right(self.logits[place]).mean())



def quantization_table(in_float: Measured, in_int8: Measured) -> str:
    rows = []
    for place, one in enumerate(in_float.slices):
        before, after = in_float.accuracy(place), in_int8.accuracy(place)
        scored = len(one.right(in_float.logits[place]))
        rows.append(f"| {one.name} | {scored} | {before:.4f} | {after:.4f} | {100 * (after - before):+.2f} |")
    return "\n".join(rows)


def scores_of(logits: np.ndarray) -> np.ndarray:
    probabilities = probabilities_of(logits)
    return probabilities[:, 2] - probabilities[:, 0]


def export(tier: str, data: Path, work: Path, repository: Path) -> None:
    base = BASES[tier]
    model = load_trained(tier, work / f"{tier}.pt")
    trim_positions(model, MAX_TOKENS)
    layers = len(model.base_model.encoder.layer)
    parameters = sum(weights.numel() for weights in model.parameters())
    tokenizer = load_tokenizer(tier)

    calibration = calibration_rows(data, tokenizer)
    float_file, smoothed_file, int8_file = (work / f"{tier}.{kind}.onnx" for kind in ("fp32", "smoothed", "int8"))
    export_float(model, float_file)
    export_half(float_file, work / f"{tier}.fp16.onnx")
    smooth(model, calibration)
    export_float(model, smoothed_file)
    common = common_words(data, tokenizer) if tier == "accurate" else None
    quantize(smoothed_file, int8_file, calibration, common, packs=tier in PACKED)
    size = int8_file.stat().st_size
    if size >= MAX_BYTES[tier]:
        raise SystemExit(f"{int8_file} has {size} bytes, over {MAX_BYTES[tier]}: leave out layers or store less")

    slices = dev_slices(data)
    in_float = Measured.of(float_file, tokenizer, slices, base.pad_id)
    in_int8 = Measured.of(int8_file, tokenizer, slices, base.pad_id)
    change = float(np.abs(scores_of(in_float.logits[1]) - scores_of(in_int8.logits[1])).mean())
    logits = np.concatenate([in_int8.logits[1], in_int8.logits[2]])
    labels = np.concatenate([slices[1].labels, slices[2].labels])
    temperature = fit_temperature(logits, labels)

    cut = f"its first {base.layers} layers"
    if tier == "accurate":
        cut = f"{layers} of its {base.layers} layers (the {DROPPED_LAYER + 1}th left out, skipped in half of the training steps)"
    elif base.layers == 6:
        cut = "all six layers"
    card = CARD.format(
        name=f"sentiment_{tier}", layers=layers, width=base.width, parameters=parameters / 1e6, megabytes=size / 1e6,
        base=base.name, cut=cut, max_tokens=MAX_TOKENS, opset=opset_of(int8_file), change=change, temperature=temperature,
        taught="" if tier == "accurate" else "Taught by `accurate`, as it is served: what that says of these texts and of 155,000 invented ones.",
        special="`<s>` and `</s>`" if tier == "accurate" else "`[CLS]` and `[SEP]`",
        embeddings="eight bits with a scale each" if common is None else f"four bits, the {len(common)} most common ones in eight",
        before=calibration_error(probabilities_of(logits), labels),
        after=calibration_error(probabilities_of(logits, temperature), labels),
        quantization=quantization_table(in_float, in_int8),
    )  # fmt: skip
    write_folder(repository / f"sentiment_{tier}", int8_file, tokenizer, Settings(MAX_TOKENS, temperature, padding_cost=padding_cost_of(int8_file, MAX_TOKENS)), card)
    print(card)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tier", choices=sorted(BASES), required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--repository", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    export(given.tier, given.data, given.work, given.repository)


if __name__ == "__main__":
    main()
