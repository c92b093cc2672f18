"""Fine-tunes one tier. Resumes where it was broken off; the same seed sees the same batches.

    python -m sentiment_training.train --tier fast --data DATA --work build/training
"""

from __future__ import annotations

import argparse
import math
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from .base import LAYERS, load_base, load_tokenizer
from .data import LABELS, batches_of, epoch_of, read_examples, training_mix

MAX_TOKENS = 128
"""Longer training texts are cut: the set has few, and the server's windows are not longer either."""


@dataclass(frozen=True)
class Plan:
    epochs: int
    tokens_per_batch: int
    peak_rate: float
    warmup: float
    """Share of all steps in which the rate climbs."""
    label_smoothing: float
    seed: int


def pad(rows: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Token ids and mask, both shape [rows, longest]."""
    longest = max(map(len, rows))
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    mask = torch.zeros(len(rows), longest, dtype=torch.long)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = torch.tensor(row)
        mask[number, : len(row)] = 1
    return ids, mask


def encode(tokenizer, texts: list[str]) -> list[list[int]]:
    """Ids with [CLS] and [SEP], cut to MAX_TOKENS with the [SEP] kept."""
    found = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
    return [ids if len(ids) <= MAX_TOKENS else [*ids[: MAX_TOKENS - 1], ids[-1]] for ids in found]


def logits_of(model, rows: list[list[int]], device: torch.device) -> np.ndarray:
    """Logits, shape [rows, 3], in the order of `rows`; computed in batches sorted by length."""
    order = sorted(range(len(rows)), key=lambda row: len(rows[row]))
    out = np.empty((len(rows), len(LABELS)), dtype=np.float32)
    model.eval()
    with torch.inference_mode():
        for start in range(0, len(order), 32):
            part = order[start : start + 32]
            ids, mask = pad([rows[row] for row in part])
            out[part] = model(input_ids=ids.to(device), attention_mask=mask.to(device)).logits.float().cpu().numpy()
    model.train()
    return out


def dev_score(model, tokenizer, data: Path, device: torch.device) -> str:
    """Accuracy on sst-dev: all three classes, and positive against negative. Test sets are scored once, at the end."""
    dev = read_examples(data / "sst-dev.tsv")
    logits = logits_of(model, encode(tokenizer, [example.text for example in dev]), device)
    labels = np.array([example.label for example in dev])
    polar = labels != 1
    binary = (logits[polar, 2] > logits[polar, 0]) == (labels[polar] == 2)
    return f"sst-dev 3 classes {np.mean(logits.argmax(1) == labels):.4f}, positive/negative {np.mean(binary):.4f}"


def rate_at(step: int, steps: int, plan: Plan) -> float:
    """Linear climb, then cosine descent to nothing."""
    climb = max(1, int(steps * plan.warmup))
    if step < climb:
        return plan.peak_rate * (step + 1) / climb
    return plan.peak_rate * 0.5 * (1 + math.cos(math.pi * (step - climb) / max(1, steps - climb)))


def save(path: Path, state: dict) -> None:
    """All or nothing: a break while writing leaves the checkpoint before it."""
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    os.replace(partial, path)


def train(tier: str, data: Path, work: Path, plan: Plan) -> Path:
    """Returns the file with the fine-tuned weights (a state_dict)."""
    work.mkdir(parents=True, exist_ok=True)
    done, checkpoint = work / f"{tier}.pt", work / f"{tier}.checkpoint.pt"
    if done.exists():
        print(f"{tier}: {done} is there already; delete it to train again", flush=True)
        return done
    torch.manual_seed(plan.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = load_base(tier, LABELS).to(device)
    tokenizer = load_tokenizer()
    optimizer = torch.optim.AdamW(model.parameters(), lr=plan.peak_rate, weight_decay=0.01, fused=True)

    mix = training_mix(data)
    epochs = []
    for epoch in range(plan.epochs):
        examples = epoch_of(mix, plan.seed, epoch)
        rows = encode(tokenizer, [example.text for example in examples])
        batches = batches_of([len(row) for row in rows], plan.tokens_per_batch, plan.seed, epoch)
        epochs.append((rows, [example.label for example in examples], batches))
    steps = [(epoch, batch) for epoch, (_, _, batches) in enumerate(epochs) for batch in batches]
    print(f"{tier}: {len(steps)} steps on {device}, {sum(len(batch) for _, batch in steps)} examples", flush=True)

    first = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=False)
        if state["plan"] != asdict(plan):
            raise SystemExit(f"{checkpoint} was made with other settings: delete it, or give the same ones")
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["rng"].cpu())
        first = state["step"]
        print(f"{tier}: goes on at step {first}", flush=True)

    model.train()
    began, shown_loss = time.monotonic(), 0.0
    for step in range(first, len(steps)):
        epoch, batch = steps[step]
        rows, labels, _ = epochs[epoch]
        ids, mask = pad([rows[row] for row in batch])
        target = torch.tensor([labels[row] for row in batch], device=device)
        for group in optimizer.param_groups:
            group["lr"] = rate_at(step, len(steps), plan)
        with torch.autocast(device.type, dtype=torch.bfloat16):
            logits = model(input_ids=ids.to(device), attention_mask=mask.to(device)).logits
        loss = cross_entropy(logits.float(), target, label_smoothing=plan.label_smoothing)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        shown_loss += loss.item()
        if (step + 1) % 50 == 0:
            per_step = (time.monotonic() - began) / (step + 1 - first)
            left = per_step * (len(steps) - step - 1)
            print(f"{tier}: step {step + 1}/{len(steps)}  loss {shown_loss / 50:.4f}  {left / 60:.1f} min left", flush=True)
            shown_loss = 0.0
        if (step + 1) % 400 == 0:
            state = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
            save(checkpoint, {**state, "rng": torch.get_rng_state(), "step": step + 1, "plan": asdict(plan)})
            print(f"{tier}: {dev_score(model, tokenizer, data, device)}", flush=True)
    save(done, model.state_dict())
    checkpoint.unlink(missing_ok=True)
    print(f"{tier}: done, {dev_score(model, tokenizer, data, device)}", flush=True)
    return done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tier", choices=sorted(LAYERS), required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1, help="two that spin beside other work are slower than one")
    parser.add_argument("--seed", type=int, default=7)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    plan = Plan(
        epochs=given.epochs, tokens_per_batch=1024, peak_rate=1e-4, warmup=0.06, label_smoothing=0.05, seed=given.seed
    )
    train(given.tier, given.data, given.work, plan)


if __name__ == "__main__":
    main()
