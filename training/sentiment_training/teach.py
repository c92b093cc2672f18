"""What the teacher (`accurate`, all twelve layers) says of many texts: what the smaller tiers learn from.

    python -m sentiment_training.teach --data DATA --work build/training

Besides the training texts it is asked about invented ones: sentences in which some words have been swapped for near ones.
They need no label, and show the smaller models more of what the teacher knows than its answers to 170,000 phrases can.
"""

from __future__ import annotations

import argparse
import json
import os
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from .base import BASES, load_base, load_tokenizer
from .calibrate import probabilities_of
from .data import LABELS, Example, key_of, training_mix
from .model import encode, logits_of

INVENTED_PER_SENTENCE = 4
SWAPPED = 0.3
"""Share of the words of an invented text that are swapped."""
NEAR = 12
"""A word is swapped for one of that many nearest ones."""


@dataclass(frozen=True)
class Teacher:
    """Its answers: probabilities of LABELS, by text as `key_of` gives it."""

    answers: dict[str, np.ndarray]
    invented: list[Example]

    @staticmethod
    def load(work: Path) -> Teacher:
        path = work / "teacher.jsonl"
        if not path.exists():
            raise SystemExit(f"{path} is missing: run sentiment_training.teach once accurate is trained")
        answers: dict[str, np.ndarray] = {}
        invented: list[Example] = []
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                answer = json.loads(line)
                probabilities = probabilities_of(np.array(answer["logits"], dtype=np.float32))
                answers[key_of(answer["text"])] = probabilities
                if answer["invented"]:
                    invented.append(Example(answer["text"], tuple(probabilities.tolist())))
        return Teacher(answers, invented)

    def probabilities(self, texts: list[str]) -> np.ndarray:
        """Shape [texts, 3]."""
        return np.stack([self.answers[key_of(text)] for text in texts])


def near_words(embeddings: torch.Tensor, tokenizer) -> dict[str, list[str]]:
    """For each whole word of the vocabulary the whole words whose embeddings point most nearly the same way."""
    vocabulary = sorted(
        (number, word) for word, number in tokenizer.get_vocab().items() if word.isascii() and word.isalpha() and len(word) > 2
    )
    words = [word for _, word in vocabulary]
    directions = torch.nn.functional.normalize(embeddings[[number for number, _ in vocabulary]].float(), dim=1)
    near: dict[str, list[str]] = {}
    for start in range(0, len(words), 2000):
        found = (directions[start : start + 2000] @ directions.T).topk(NEAR + 1).indices.tolist()
        for word, places in zip(words[start : start + 2000], found, strict=True):
            near[word] = [words[place] for place in places[1:]]
    return near


def invent(text: str, near: dict[str, list[str]], chance: random.Random) -> str:
    words = text.split(" ")
    for place, word in enumerate(words):
        others = near.get(word.strip(".,!?\"'();:").lower())
        if others and chance.random() < SWAPPED:
            words[place] = word.replace(word.strip(".,!?\"'();:"), chance.choice(others))
    return " ".join(words)


def teach(data: Path, work: Path, seed: int = 7) -> None:
    target = work / "teacher.jsonl"
    if target.exists():
        print(f"teacher: {target} is there already; delete it to make it again", flush=True)
        return
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = load_base("accurate", LABELS).to(device)
    tokenizer = load_tokenizer("accurate")
    base_embeddings = model.base_model.embeddings.word_embeddings.weight.detach().cpu().clone()
    near = near_words(base_embeddings, tokenizer)
    model.load_state_dict(torch.load(work / "accurate.pt", map_location=device))

    mix = training_mix(data)
    texts = list(dict.fromkeys(example.text for example in mix))
    chance = random.Random(f"{seed}/invent")
    sources = [example.text for example in mix if example.weight > 1]
    known = set(texts)
    invented = [text for source in sources for text in {invent(source, near, chance) for _ in range(INVENTED_PER_SENTENCE)}]
    invented = sorted(set(invented) - known)
    everything = [*texts, *invented]
    rows = encode(tokenizer, everything)
    logits = logits_of(model, rows, BASES["accurate"].pad_id, progress="teacher")
    partial = target.with_suffix(".partial")
    with partial.open("w", encoding="utf-8") as lines:
        for place, text in enumerate(everything):
            answer = {"text": text, "logits": [round(float(logit), 4) for logit in logits[place]], "invented": place >= len(texts)}
            lines.write(json.dumps(answer, ensure_ascii=False) + "\n")
    os.replace(partial, target)
    print(f"teacher: asked about {len(texts)} training texts and {len(invented)} invented ones", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    teach(given.data, given.work)


if __name__ == "__main__":
    main()
