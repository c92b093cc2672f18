"""Reading the data folder, mixing it into epochs, cutting epochs into batches of near-equal length."""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from pathlib import Path

LABELS = ("negative", "neutral", "positive")
_STARS = {"0": 0, "1": 0, "2": 1, "3": 2, "4": 2}
_WORDS = {name: index for index, name in enumerate(LABELS)}


@dataclass(frozen=True)
class Example:
    text: str
    label: int
    """Index into LABELS."""
    weight: float = 1.0
    """How often it stands in one epoch, on average."""


def read_tsv(path: Path) -> list[dict[str, str]]:
    """Rows of a tab-separated file with a header line and no quoting."""
    if not path.is_file():
        raise SystemExit(f"{path} is missing: training/README.md says how to make it")
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def read_examples(path: Path, weight: float = 1.0) -> list[Example]:
    """Labels may be words (negative, neutral, positive) or five grades (0 very negative to 4 very positive)."""
    return [
        Example(row["text"], _STARS[row["label"]] if row["label"] in _STARS else _WORDS[row["label"]], weight)
        for row in read_tsv(path)
    ]


def training_mix(folder: Path) -> list[Example]:
    """Everything that may be trained on, weighted.

    Phrases teach negation and composition, but half of them are neutral fragments of one to three words; those are
    thinned, so that "neutral" does not come to mean "short". Whole sentences and tweets are what people send.
    """
    mix: list[Example] = []
    for row in read_tsv(folder / "sst-train-phrases.tsv"):
        label = _STARS[row["label"]]
        if row["sentence"] == "1":
            weight = 3.0
        else:
            weight = 0.3 if label == 1 else 1.0
        mix.append(Example(row["text"], label, weight))
    mix += read_examples(folder / "tweets-train.tsv", 1.5)
    mix += read_examples(folder / "customer-reviews.tsv", 2.0)
    mix += read_examples(folder / "amazon-reviews.tsv", 2.0)
    return mix


def epoch_of(mix: list[Example], seed: int, epoch: int) -> list[Example]:
    """One epoch: each example as often as its weight says, the fraction by chance. Same seed, same epoch, same list."""
    chance = random.Random(f"{seed}/{epoch}")
    picked: list[Example] = []
    for example in mix:
        times = int(example.weight) + (chance.random() < example.weight % 1)
        picked += [example] * times
    chance.shuffle(picked)
    return picked


def batches_of(lengths: list[int], tokens_per_batch: int, seed: int, epoch: int) -> list[list[int]]:
    """Row numbers cut into batches of near-equal length, each at most `tokens_per_batch` padded tokens, in random order."""
    chance = random.Random(f"{seed}/{epoch}/batches")
    order = sorted(range(len(lengths)), key=lambda row: (lengths[row], row))
    batches: list[list[int]] = []
    batch: list[int] = []
    for row in order:
        if batch and lengths[row] * (len(batch) + 1) > tokens_per_batch:
            batches.append(batch)
            batch = []
        batch.append(row)
    if batch:
        batches.append(batch)
    chance.shuffle(batches)
    return batches
