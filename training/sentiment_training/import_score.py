"""Accuracy and temperature of an imported model, on a file of labelled texts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .calibrate import fit_temperature
from .data import Example, read_examples
from .model import right

_Z = 1.959964
"""Of a 95 % interval."""


@dataclass(frozen=True)
class Accuracy:
    name: str
    right: int
    texts: int

    @property
    def share(self) -> float:
        return self.right / self.texts

    @property
    def interval(self) -> tuple[float, float]:
        """95 % (Wilson, 1927)."""
        spread = _Z**2 / self.texts
        middle = (self.share + spread / 2) / (1 + spread)
        half = _Z / (1 + spread) * math.sqrt(self.share * (1 - self.share) / self.texts + spread / (4 * self.texts))
        return middle - half, middle + half


def read_scored(path: Path) -> list[Example]:
    """SystemExit, in one line, where the file is not as training/README.md says."""
    if not path.is_file():
        raise SystemExit(f"{path} is missing: --score (make: SCORE=) names a tab-separated file with the columns label and text")
    try:
        examples = read_examples(path)
    except (KeyError, UnicodeDecodeError, OSError) as error:
        raise SystemExit(
            f"{path} cannot be read ({error}): tab-separated, UTF-8, a header line, columns label (negative, neutral, positive, or 0 to 4) and text"
        ) from error
    empty = next((row for row, example in enumerate(examples, 2) if not example.text), None)
    if not examples or empty:
        raise SystemExit(f"{path} has {f'no text in line {empty}' if empty else 'no rows'}: give each row a label and a text")
    return examples


def accuracies_of(logits: np.ndarray, labels: np.ndarray) -> list[Accuracy]:
    """`logits` of shape [texts, 3]. Positive against negative leaves neutral texts out; it is missing where all are."""
    ways = {"three classes": right(logits, labels, polar=False), "positive or negative": right(logits, labels, polar=True)}
    found = [Accuracy(name, int(rows.sum()), len(rows)) for name, rows in ways.items()]
    return [one for one in found if one.texts > 0]


def temperature_of(logits: np.ndarray, labels: np.ndarray, has_neutral: bool) -> float:
    """A model without neutral is fitted on the other texts: it is as wrong about neutral ones at any temperature."""
    fitted = np.ones(len(labels), dtype=bool) if has_neutral else labels != 1
    if not fitted.any():
        raise SystemExit("no text to score is positive or negative, and the model knows nothing else: give others, or --temperature")
    return float(fit_temperature(logits[fitted], labels[fitted]))
