"""What ways to quantize a trained tier cost, in accuracy and in time: a table for docs/decisions.md.

    python -m sentiment_training.compare --tier accurate --data DATA --work build/training

Accuracy is that of SST dev and TweetEval validation. Time is that of SST dev, one row at a time on one thread, as a ratio to float;
the ways take turns three times, and the median is told with the least and the most.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic

from .base import BASES, load_tokenizer, load_trained
from .export import export_float, scores_of
from .model import encode
from .onnx_model import OnnxModel
from .quantize import calibration_rows, common_words, quantize, smooth
from .slices import dev_slices

BATCH = 32
_WAYS = ("float", "dynamic", "static", "static, smoothed by 0.5", "static, smoothed by 0.85", "the last, rare words in 4 bits")


def make(tier: str, data: Path, work: Path) -> dict[str, Path]:
    """A file a way."""
    tokenizer = load_tokenizer(tier)
    rows = calibration_rows(data, tokenizer)
    files = {name: work / f"{tier}.compare-{place}.onnx" for place, name in enumerate(_WAYS)}
    export_float(load_trained(tier, work / f"{tier}.pt"), files["float"])
    quantize_dynamic(str(files["float"]), str(files["dynamic"]), per_channel=True, weight_type=QuantType.QInt8)
    quantize(files["float"], files["static"], rows)
    for name, smoothing in (("static, smoothed by 0.5", 0.5), ("static, smoothed by 0.85", 0.85)):
        model = load_trained(tier, work / f"{tier}.pt")
        smooth(model, rows, smoothing)
        evened = work / f"{tier}.compare-evened.onnx"
        export_float(model, evened)
        quantize(evened, files[name], rows)
    quantize(evened, files["the last, rare words in 4 bits"], rows, common_words(data, tokenizer))
    return files


def moved_by_neighbours(path: Path, rows: list[list[int]], pad_id: int) -> float:
    """Share of texts whose score moves by over 0.01 between a batch of one and a batch of 32 of near-equal length."""
    order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
    together = np.empty((len(rows), 3), dtype=np.float32)
    model = OnnxModel(path, pad_id)
    for start in range(0, len(order), BATCH):
        part = order[start : start + BATCH]
        together[part] = model.together([rows[row] for row in part])
    alone = model.each(rows)
    return float((np.abs(scores_of(alone) - scores_of(together)) > 0.01).mean())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tier", choices=sorted(BASES), required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    given = parser.parse_args()
    torch.set_num_threads(1)
    pad_id = BASES[given.tier].pad_id
    tokenizer = load_tokenizer(given.tier)
    sst2, sst, tweets = dev_slices(given.data)[:3]
    rows = [encode(tokenizer, [example.text for example in one.examples]) for one in (sst, tweets)]
    files = make(given.tier, given.data, given.work)

    seconds: dict[str, list[float]] = {name: [] for name in files}
    for _ in range(3):
        for name, path in files.items():
            model = OnnxModel(path, pad_id)
            began = time.perf_counter()
            model.each(rows[0])
            seconds[name].append(time.perf_counter() - began)
    print("| way | MB | SST-2 dev | SST dev | TweetEval validation | score moved by neighbours | time, of float's |")
    print("|---|---|---|---|---|---|---|")
    for name, path in files.items():
        model = OnnxModel(path, pad_id)
        logits = [model.each(some) for some in rows]
        ratios = sorted(one / base for one, base in zip(seconds[name], seconds["float"], strict=True))
        print(
            f"| {name} | {path.stat().st_size / 1e6:.1f} | {sst2.right(logits[0]).mean():.4f} | {sst.right(logits[0]).mean():.4f} "
            f"| {tweets.right(logits[1]).mean():.4f} | {moved_by_neighbours(path, rows[0], pad_id):.1%} "
            f"| {ratios[1]:.2f} ({ratios[0]:.2f} to {ratios[2]:.2f}) |"
        )


if __name__ == "__main__":
    main()
