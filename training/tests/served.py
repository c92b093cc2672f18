"""Whether the server says of texts what transformers says.

    python served.py make FOLDER                a checkpoint of each kind, FOLDER/<kind>, and FOLDER/texts.txt
    python served.py compare FOLDER KIND        reads what the client printed, as JSON lines, from standard input
"""

from __future__ import annotations

import json
import sys
from itertools import count
from pathlib import Path

import torch
from checkpoints import TEXTS, make_checkpoint, reference_logits

LABELS = {
    "distilbert": ["POSITIVE", "NEGATIVE"],
    "bert": ["5 stars", "1 star", "3 stars", "4 stars", "2 stars"],
    "roberta": ["neutral", "positive", "negative"],
}
CLASSES = {"1": 0, "2": 0, "3": 1, "4": 2, "5": 2, "n": 1}
NAMES = ("NEGATIVE", "NEUTRAL", "POSITIVE")
SAME = 1e-4

# The client reads a text a line.
LINES = tuple(text for text in TEXTS if "\n" not in text)


def make(folder: Path) -> None:
    for kind, labels in LABELS.items():
        # A WordPiece tokenizer is trained a little differently each time, and with some of them random weights say the same of all texts.
        for seed in count(3):
            make_checkpoint(folder / kind, kind, labels, seed)
            if len(reference_logits(folder / kind, LINES).argmax(-1).unique()) > 1:
                break
    (folder / "texts.txt").write_text("".join(f"{text}\n" for text in LINES), encoding="utf-8")


def class_of(label: str) -> int:
    """Index into NAMES."""
    return NAMES.index(label.upper()) if label.upper() in NAMES else CLASSES[label[0]]


def compare(folder: Path, kind: str) -> int:
    """Exit code."""
    own = torch.softmax(reference_logits(folder / kind, LINES), -1)
    wanted = torch.zeros(len(LINES), len(NAMES))
    for place, label in enumerate(LABELS[kind]):
        wanted[:, class_of(label)] += own[:, place]
    answers = [json.loads(line) for line in sys.stdin]
    served = torch.tensor([[answer["probabilities"][name.lower()] for name in NAMES] for answer in answers])
    difference = (served - wanted).abs().amax(1)
    for text, answer, far, right in zip(LINES, answers, difference.tolist(), wanted.tolist(), strict=True):
        if far > SAME or answer["label"] != NAMES[right.index(max(right))] or answer["text"] != text:
            print(f"{kind}: {text!r} is {answer}, should be {right}")
            return 1
    labels = {answer["label"] for answer in answers}
    if len(labels) < 2:
        print(f"{kind}: all texts are {labels}: that shows nothing")
        return 1
    print(f"ok: {kind}, {len(answers)} texts, probabilities within {difference.max():.1e} of transformers'")
    return 0


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(Path(sys.argv[2]))
    else:
        sys.exit(compare(Path(sys.argv[2]), sys.argv[3]))
