"""The sets that models are scored on, none of them trained on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .data import Example, held_out, read_examples
from .model import right

_OWN = Path(__file__).parent.parent / "slices"


@dataclass(frozen=True)
class Slice:
    name: str
    examples: list[Example]
    polar: bool
    """Scored as positive against negative, neutral examples left out; else as three classes."""

    @property
    def labels(self) -> np.ndarray:
        return np.array([example.label for example in self.examples])

    def right(self, logits: np.ndarray) -> np.ndarray:
        """Whether each scored example is right; `logits` of shape [examples, 3]."""
        return right(logits, self.labels, self.polar)


def dev_slices(data: Path) -> list[Slice]:
    """For choices: temperature, threshold, what to quantize. The SST test set is left for the card."""
    sst = read_examples(data / "sst-dev.tsv")
    return [
        Slice("SST-2 dev", sst, polar=True),
        Slice("SST dev", sst, polar=False),
        Slice("TweetEval validation", read_examples(data / "tweets-dev.tsv"), polar=False),
        Slice("customer reviews", held_out(read_examples(data / "customer-reviews.tsv")), polar=True),
        Slice("Amazon reviews", held_out(read_examples(data / "amazon-reviews.tsv")), polar=False),
        Slice("negation", read_examples(_OWN / "negation.tsv"), polar=False),
        Slice("emoji", read_examples(_OWN / "emoji.tsv"), polar=False),
    ]
