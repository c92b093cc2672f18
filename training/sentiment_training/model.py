"""Rows of token ids, and what a model says of them."""

from __future__ import annotations

import time

import numpy as np
import torch
from torch import nn

from .data import LABELS

MAX_TOKENS = 128
"""Longer training texts are cut: the set has few, and the server's windows are not longer either."""


def pad(rows: list[list[int]], pad_id: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and mask, both shape [rows, longest]."""
    longest = max(map(len, rows))
    ids = torch.full((len(rows), longest), pad_id, dtype=torch.long)
    mask = torch.zeros(len(rows), longest, dtype=torch.long)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = torch.tensor(row)
        mask[number, : len(row)] = 1
    return ids, mask


def encode(tokenizer, texts: list[str]) -> list[list[int]]:
    """Ids with the special tokens, cut to MAX_TOKENS with the last one kept."""
    found = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
    return [ids if len(ids) <= MAX_TOKENS else [*ids[: MAX_TOKENS - 1], ids[-1]] for ids in found]


def logits_of(model: nn.Module, rows: list[list[int]], pad_id: int, progress: str = "") -> np.ndarray:
    """Logits, shape [rows, 3], in the order of `rows`; computed in batches sorted by length. `progress` names it on the way."""
    device = next(model.parameters()).device
    order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
    out = np.empty((len(rows), len(LABELS)), dtype=np.float32)
    model.eval()
    began, done, total = time.monotonic(), 0, sum(map(len, rows))
    with torch.inference_mode(), torch.autocast(device.type, dtype=torch.bfloat16):
        for start in range(0, len(order), 64):
            part = order[start : start + 64]
            ids, mask = pad([rows[row] for row in part], pad_id)
            out[part] = model(input_ids=ids.to(device), attention_mask=mask.to(device)).logits.float().cpu().numpy()
            done += sum(len(rows[row]) for row in part)
            if progress and start % 12_800 == 0:
                left = (time.monotonic() - began) * (total / done - 1)
                print(f"{progress}: {start + len(part)}/{len(rows)}  {left / 60:.1f} min left", flush=True)
    model.train()
    return out


def accuracies(logits: np.ndarray, labels: np.ndarray) -> tuple[float, float]:
    """All three classes; positive against negative."""
    polar = labels != 1
    binary = (logits[polar, 2] > logits[polar, 0]) == (labels[polar] == 2)
    return float(np.mean(logits.argmax(1) == labels)), float(np.mean(binary))
