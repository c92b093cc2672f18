"""Rows of token ids, and what a model says of them."""

from __future__ import annotations

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


def trim_positions(model: nn.Module, tokens: int) -> None:
    """In place: leaves out what no text of so many tokens has. MPNet counts its positions from the padding's id on."""
    embeddings = model.base_model.embeddings
    table = embeddings.position_embeddings
    first = 0 if table.padding_idx is None else table.padding_idx + 1
    weights = table.weight[: first + tokens].detach().clone()
    embeddings.position_embeddings = nn.Embedding.from_pretrained(weights, freeze=False, padding_idx=table.padding_idx)


def encode(tokenizer, texts: list[str]) -> list[list[int]]:
    """Ids with the special tokens, cut to MAX_TOKENS with the last one kept."""
    found = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
    return [ids if len(ids) <= MAX_TOKENS else [*ids[: MAX_TOKENS - 1], ids[-1]] for ids in found]


def logits_of(model: nn.Module, rows: list[list[int]], pad_id: int) -> np.ndarray:
    """Logits, shape [rows, 3], in the order of `rows`; computed in batches sorted by length."""
    device = next(model.parameters()).device
    order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
    out = np.empty((len(rows), len(LABELS)), dtype=np.float32)
    model.eval()
    with torch.inference_mode(), torch.autocast(device.type, dtype=torch.bfloat16):
        for start in range(0, len(order), 64):
            part = order[start : start + 64]
            ids, mask = pad([rows[row] for row in part], pad_id)
            out[part] = model(input_ids=ids.to(device), attention_mask=mask.to(device)).logits.float().cpu().numpy()
    model.train()
    return out


def right(logits: np.ndarray, labels: np.ndarray, polar: bool) -> np.ndarray:
    """Whether each row is; with `polar` of positive against negative, without the neutral rows."""
    if not polar:
        return logits.argmax(1) == labels
    scored = labels != 1
    return (logits[scored, 2] > logits[scored, 0]) == (labels[scored] == 2)
