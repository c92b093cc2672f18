"""Fine-tunes one tier. Resumes where it was broken off; the same seed sees the same batches.

    python -m sentiment_training.train --tier fast --data DATA --work build/training

`accurate` learns from the labels; the others learn from what it says of each text (teach.py) as well.
"""

from __future__ import annotations

import argparse
import hashlib
import math
import os
import random
import re
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from .base import BASES, DROPPED_LAYER, load_base, load_tokenizer, without_layer
from .data import Example, batches_of, epoch_of, read_examples, training_mix
from .model import encode, logits_of, pad, right
from .teach import Teacher


@dataclass(frozen=True)
class Plan:
    epochs: int
    peak_rate: float
    layer_decay: float
    """Each layer learns at this share of the rate of the layer above it: what lies deep is general already."""
    teacher_share: float
    """How much of the loss is the teacher's word, 0 to 1; the rest is the label's."""
    skip_share: float
    """Share of the steps that go without DROPPED_LAYER."""
    softening: float = 2.0
    """What the logits of both are divided by before they are compared, so that what the teacher is sure of still has shades."""
    invented_weight: float = 0.0
    """How often a text that the teacher alone has judged stands in one epoch."""
    tokens_per_batch: int = 1024
    warmup: float = 0.06
    """Share of all steps in which the rate climbs."""
    seed: int = 7


PLANS = {
    "accurate": Plan(epochs=2, peak_rate=4e-5, layer_decay=0.9, teacher_share=0.0, skip_share=0.5),
    "balanced": Plan(epochs=5, peak_rate=1.5e-4, layer_decay=0.9, teacher_share=0.8, skip_share=0.0, invented_weight=0.5),
    "fast": Plan(epochs=3, peak_rate=2e-4, layer_decay=0.9, teacher_share=0.8, skip_share=0.0, invented_weight=0.5),
}

HEAD = re.compile(r"classifier|pooler")


def dev_score(model: nn.Module, tokenizer, data: Path, pad_id: int) -> str:
    """Accuracy on sst-dev. Test sets are scored once, at the end."""
    dev = read_examples(data / "sst-dev.tsv")
    logits = logits_of(model, encode(tokenizer, [example.text for example in dev]), pad_id)
    labels = np.array([example.label for example in dev])
    three, two = (right(logits, labels, polar).mean() for polar in (False, True))
    return f"sst-dev 3 classes {three:.4f}, positive/negative {two:.4f}"


def rate_at(step: int, steps: int, plan: Plan) -> float:
    """Linear climb, then cosine descent to nothing."""
    climb = max(1, int(steps * plan.warmup))
    if step < climb:
        return plan.peak_rate * (step + 1) / climb
    return plan.peak_rate * 0.5 * (1 + math.cos(math.pi * (step - climb) / max(1, steps - climb)))


def parameter_groups(model: nn.Module, decay: float) -> list[dict]:
    """One group a layer, with the share of the rate that it learns at."""
    layers = model.base_model.encoder.layer
    depths = {parameter: depth for depth, layer in enumerate(layers, 1) for parameter in layer.parameters()}
    groups: dict[int, list[nn.Parameter]] = {}
    for name, parameter in model.named_parameters():
        # What is in no layer is the head, or lies below all layers: embeddings, and the positions that MPNet's layers share.
        depth = len(layers) + 1 if HEAD.search(name) else depths.get(parameter, 0)
        groups.setdefault(depth, []).append(parameter)
    return [{"params": group, "share": decay ** (len(layers) + 1 - depth)} for depth, group in groups.items()]


def save(path: Path, state: dict) -> None:
    """All or nothing: a break while writing leaves the checkpoint before it."""
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    os.replace(partial, path)


@dataclass(frozen=True)
class Targets:
    """Probabilities to learn, each of shape [examples, 3]."""

    labels: np.ndarray
    teacher: np.ndarray | None
    """Softened."""

    @staticmethod
    def of(examples: list[Example], teacher: Teacher | None, plan: Plan) -> Targets:
        labels = np.array([example.target for example in examples], dtype=np.float32)
        asked = teacher and teacher.probabilities([example.text for example in examples], plan.softening)
        return Targets(labels, asked)

    def loss(self, logits: torch.Tensor, batch: list[int], plan: Plan) -> torch.Tensor:
        """Cross entropy; the teacher's part as Hinton, Vinyals and Dean, 2015, with gradients of the size of the label's."""
        labelled = cross_entropy(logits, torch.from_numpy(self.labels[batch]).to(logits.device))
        if self.teacher is None:
            return labelled
        wanted = torch.from_numpy(self.teacher[batch]).to(logits.device)
        taught = cross_entropy(logits / plan.softening, wanted) * plan.softening**2
        return plan.teacher_share * taught + (1 - plan.teacher_share) * labelled


def train(tier: str, data: Path, work: Path, plan: Plan) -> Path:
    """Returns the file with the fine-tuned weights (a state_dict)."""
    work.mkdir(parents=True, exist_ok=True)
    done, checkpoint = work / f"{tier}.pt", work / f"{tier}.checkpoint.pt"
    if done.exists():
        print(f"{tier}: {done} is there already; delete it to train again", flush=True)
        return done
    torch.manual_seed(plan.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = load_base(tier).to(device)
    pad_id = BASES[tier].pad_id
    tokenizer = load_tokenizer(tier)
    groups = parameter_groups(model, plan.layer_decay)
    optimizer = torch.optim.AdamW(groups, lr=plan.peak_rate, weight_decay=0.01, fused=True)

    teacher = Teacher.load(work) if plan.teacher_share > 0 else None
    mix = training_mix(data)
    if teacher is not None:
        mix += [replace(example, weight=plan.invented_weight) for example in teacher.invented]
    epochs = []
    seen = hashlib.sha256(repr(plan).encode())
    for epoch in range(plan.epochs):
        examples = epoch_of(mix, plan.seed, epoch)
        rows = encode(tokenizer, [example.text for example in examples])
        seen.update(repr(rows).encode())
        batches = batches_of([len(row) for row in rows], plan.tokens_per_batch, plan.seed, epoch)
        epochs.append((rows, Targets.of(examples, teacher, plan), batches))
    steps = [(epoch, batch) for epoch, (_, _, batches) in enumerate(epochs) for batch in batches]
    print(f"{tier}: {len(steps)} steps on {device}, {sum(len(batch) for _, batch in steps)} examples", flush=True)

    first = 0
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=False)
        if state["seen"] != seen.hexdigest():
            raise SystemExit(f"{checkpoint} was made with other settings or data: delete it, or give the same ones")
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        torch.set_rng_state(state["rng"].cpu())
        first = state["step"]
        print(f"{tier}: goes on at step {first}", flush=True)

    all_layers = model.base_model.encoder.layer
    model.train()
    began, shown_loss = time.monotonic(), 0.0
    for step in range(first, len(steps)):
        epoch, batch = steps[step]
        rows, targets, _ = epochs[epoch]
        ids, mask = pad([rows[row] for row in batch], pad_id)
        for group in optimizer.param_groups:
            group["lr"] = group["share"] * rate_at(step, len(steps), plan)
        skips = random.Random(f"{plan.seed}/{step}/skip").random() < plan.skip_share
        if skips:
            without_layer(model, DROPPED_LAYER)
        with torch.autocast(device.type, dtype=torch.bfloat16):
            logits = model(input_ids=ids.to(device), attention_mask=mask.to(device)).logits
        loss = targets.loss(logits.float(), batch, plan)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        model.base_model.encoder.layer = all_layers
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
            save(checkpoint, {**state, "rng": torch.get_rng_state(), "step": step + 1, "seen": seen.hexdigest()})
            print(f"{tier}: {dev_score(model, tokenizer, data, pad_id)}", flush=True)
    save(done, model.state_dict())
    checkpoint.unlink(missing_ok=True)
    print(f"{tier}: done, {dev_score(model, tokenizer, data, pad_id)}", flush=True)
    return done


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tier", choices=sorted(BASES), required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1, help="two that spin beside other work are slower than one")
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    train(given.tier, given.data, given.work, PLANS[given.tier])


if __name__ == "__main__":
    main()
