"""Reading the data folder, mixing it into epochs, cutting epochs into batches of near-equal length."""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass, replace
from pathlib import Path

LABELS = ("negative", "neutral", "positive")

# Grades say more than their class: a mildly negative text is nearer to neutral than a very negative one.
_TARGETS = {
    "0": (1.0, 0.0, 0.0),
    "1": (0.85, 0.15, 0.0),
    "2": (0.05, 0.9, 0.05),
    "3": (0.0, 0.15, 0.85),
    "4": (0.0, 0.0, 1.0),
    "negative": (0.95, 0.05, 0.0),
    "neutral": (0.05, 0.9, 0.05),
    "positive": (0.0, 0.05, 0.95),
}


@dataclass(frozen=True)
class Example:
    text: str
    target: tuple[float, float, float]
    """Probability of each of LABELS."""
    weight: float = 1.0
    """How often it stands in one epoch, on average."""

    @property
    def label(self) -> int:
        """Index into LABELS."""
        return self.target.index(max(self.target))


def read_tsv(path: Path) -> list[dict[str, str]]:
    """Rows of a tab-separated file with a header line and no quoting."""
    if not path.is_file():
        raise SystemExit(f"{path} is missing: training/README.md says how to make it")
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))


def read_examples(path: Path, weight: float = 1.0) -> list[Example]:
    """Labels may be words (negative, neutral, positive) or five grades (0 very negative to 4 very positive)."""
    return [Example(row["text"], _TARGETS[row["label"]], weight) for row in read_tsv(path)]


def held_out(examples: list[Example]) -> list[Example]:
    """Every tenth one, from the first: of sets without a test split, for scores; never trained on."""
    return examples[::10]


def trained_on(examples: list[Example]) -> list[Example]:
    """All but those held out."""
    return [example for place, example in enumerate(examples) if place % 10 != 0]


def training_mix(folder: Path) -> list[Example]:
    """Everything that may be trained on, weighted.

    Phrases teach negation and composition, but half of them are neutral fragments of one to three words; those are
    thinned, so that "neutral" does not come to mean "short". Whole sentences, tweets and reviews are what people send.
    """
    mix: list[Example] = []
    for row in read_tsv(folder / "sst-train-phrases.tsv"):
        phrase = 0.12 if row["label"] == "2" else 0.6
        mix.append(Example(row["text"], _TARGETS[row["label"]], 1.6 if row["sentence"] == "1" else phrase))
    mix += read_examples(folder / "tweets-train.tsv", 0.9)
    mix += trained_on(read_examples(folder / "customer-reviews.tsv", 1.2))
    mix += trained_on(read_examples(folder / "amazon-reviews.tsv", 1.2))
    return mix


def key_of(text: str) -> str:
    """The text without its last punctuation: what the teacher says of one it says of both."""
    return text.rstrip(" .!?") or text


def roughened(text: str, chance: random.Random) -> str:
    """Now and then without its last punctuation, as people write."""
    return key_of(text) if chance.random() < 0.15 else text


def epoch_of(mix: list[Example], seed: int, epoch: int) -> list[Example]:
    """One epoch: each example as often as its weight says, the fraction by chance. Same seed, same epoch, same list."""
    chance = random.Random(f"{seed}/{epoch}")
    picked: list[Example] = []
    for example in mix:
        times = int(example.weight) + (chance.random() < example.weight % 1)
        picked += [replace(example, text=roughened(example.text, chance)) for _ in range(times)]
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
