"""Writes a trained tier into the model repository: ONNX (float, then int8), config.pbtxt, tokenizer.json, labels.txt, card.

    python -m sentiment_training.export --tier fast --data DATA --work build/training --repository triton-model-repo
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import nn

from .base import LAYERS, load_base, load_tokenizer
from .data import LABELS, read_examples
from .quantize import calibration_rows, quantize, smooth
from .train import MAX_TOKENS, encode, pad

OPSET = 17
MAX_BYTES = 25_000_000
"""A committed model file stays below this."""

CONFIG = """\
name: "{name}"
backend: "onnxruntime"
max_batch_size: 128
input [
  {{ name: "input_ids" data_type: TYPE_INT64 dims: [ -1 ] }},
  {{ name: "attention_mask" data_type: TYPE_INT64 dims: [ -1 ] }}
]
output [
  {{ name: "logits" data_type: TYPE_FP32 dims: [ 3 ] label_filename: "labels.txt" }}
]
instance_group [ {{ kind: KIND_CPU count: 2 }} ]
dynamic_batching {{ }}
parameters {{ key: "max_length" value: {{ string_value: "{max_tokens}" }} }}
parameters {{ key: "temperature" value: {{ string_value: "1.0" }} }}
parameters {{ key: "intra_op_thread_count" value: {{ string_value: "1" }} }}
"""

CARD = """\
# {name}

Says of an English text whether it is negative, neutral or positive. {layers} transformer layers of 384, {parameters:.1f} million parameters,
int8, {megabytes:.1f} MB.

- **Base**: all-MiniLM-L6-v2 (Apache-2.0), {base}, with a new three-way head.
- **Trained on**: phrases and sentences of the Stanford Sentiment Treebank's training trees, TweetEval sentiment (training split),
  customer reviews (Hu and Liu), a sample of Amazon reviews. `training/README.md` says where they come from. Grades 0 and 1 are
  negative, 2 neutral, 3 and 4 positive. Never trained on: SST dev and test, TweetEval validation.
- **Inputs**: `input_ids`, `attention_mask`, int64 [batch, sequence], at most {max_tokens} tokens with `[CLS]` and `[SEP]`;
  **output** `logits`, float [batch, 3]: negative, neutral, positive. ONNX opset {opset}.
- **Quantized**: fixed activation ranges from 350 training texts, weights per channel. An answer does not depend on what else is in
  the batch. On SST dev, float against int8: 3 classes {float3:.4f} against {int3:.4f}, positive/negative {float2:.4f} against {int2:.4f};
  mean change of the score {change:.4f}.
- **Limits**: English. Trained mostly on film reviews and tweets: irony, mixed opinions and texts about other things are where it
  errs most. It judges wording, not truth. Not for decisions about people.

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
        _Logits(model),
        (sample, sample),
        str(target),
        dynamo=False,
        opset_version=OPSET,
        input_names=["input_ids", "attention_mask"],
        output_names=["logits"],
        dynamic_axes={"input_ids": rows, "attention_mask": rows, "logits": {0: "batch"}},
    )


def onnx_logits(path: Path, rows: list[list[int]]) -> np.ndarray:
    """Logits of each row, shape [rows, 3]; one row at a time."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    out = []
    for row in rows:
        ids, mask = pad([row])
        out.append(session.run(["logits"], {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})[0][0])
    return np.array(out)


def accuracies(logits: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """All three classes; positive against negative."""
    polar = labels != 1
    binary = (logits[polar, 2] > logits[polar, 0]) == (labels[polar] == 2)
    return float(np.mean(logits.argmax(1) == labels)), float(np.mean(binary))


def scores_of(logits: np.ndarray) -> np.ndarray:
    weights = np.exp(logits - logits.max(1, keepdims=True))
    probabilities = weights / weights.sum(1, keepdims=True)
    return probabilities[:, 2] - probabilities[:, 0]


def export(tier: str, data: Path, work: Path, repository: Path) -> None:
    name = f"sentiment_{tier}"
    folder = repository / name
    (folder / "1").mkdir(parents=True, exist_ok=True)
    model = load_base(tier, LABELS)
    model.load_state_dict(torch.load(work / f"{tier}.pt", map_location="cpu"))
    model.eval()
    parameters = sum(weights.numel() for weights in model.parameters())
    tokenizer = load_tokenizer()

    calibration = calibration_rows(data, tokenizer, seed=1)
    float_file, smoothed_file = work / f"{tier}.fp32.onnx", work / f"{tier}.smoothed.onnx"
    export_float(model, float_file)
    smooth(model, calibration)
    export_float(model, smoothed_file)
    int8_file = work / f"{tier}.int8.onnx"
    quantize(smoothed_file, int8_file, calibration)
    size = int8_file.stat().st_size
    if size >= MAX_BYTES:
        raise SystemExit(f"{int8_file} has {size} bytes, over {MAX_BYTES}: leave out layers or store less")

    dev = read_examples(data / "sst-dev.tsv")
    rows = encode(tokenizer, [example.text for example in dev])
    labels = np.array([example.label for example in dev])
    in_float, in_int8 = onnx_logits(float_file, rows), onnx_logits(int8_file, rows)
    float3, float2 = accuracies(in_float, labels)
    int3, int2 = accuracies(in_int8, labels)
    change = float(np.abs(scores_of(in_float) - scores_of(in_int8)).mean())

    shutil.copyfile(int8_file, folder / "1" / "model.onnx")
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    (folder / "labels.txt").write_text("".join(f"{label}\n" for label in LABELS), encoding="utf-8")
    (folder / "config.pbtxt").write_text(CONFIG.format(name=name, max_tokens=MAX_TOKENS), encoding="utf-8")
    base = "all six layers" if LAYERS[tier] == 6 else f"its first {LAYERS[tier]} layers"
    card = CARD.format(
        name=name, layers=LAYERS[tier], parameters=parameters / 1e6, megabytes=size / 1e6, base=base,
        max_tokens=MAX_TOKENS, opset=OPSET, float3=float3, float2=float2, int3=int3, int2=int2, change=change,
    )
    (folder / "README.md").write_text(card, encoding="utf-8")
    print(card)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tier", choices=sorted(LAYERS), required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--repository", type=Path, required=True)
    given = parser.parse_args()
    torch.set_num_threads(1)
    export(given.tier, given.data, given.work, given.repository)


if __name__ == "__main__":
    main()
