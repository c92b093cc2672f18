"""What the teacher says of many texts: what the smaller tiers learn from. The teacher is `accurate` as it is served.

    python -m sentiment_training.teach --data DATA --work build/training --repository triton-model-repo

Besides the training texts it is asked about invented ones, which need no label: sentences in which some words have been swapped
for near ones, sentences with a negation put in or taken out, and short phrases negated. They show the smaller models more of
what the teacher knows than its answers to the training texts can.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from .base import BASES, load_base
from .calibrate import probabilities_of
from .data import LABELS, Example, key_of, training_mix
from .model import encode
from .onnx_model import OnnxModel

SWAPPED_PER_SENTENCE = 10
SWAPPED = 0.3
"""Share of the words of a sentence that are swapped."""
NEAR = 12
"""A word is swapped for one of that many nearest ones."""

NEGATED_PHRASES = 30_000
LONGEST_NEGATED = 5
"""Words of a phrase that is negated."""
NEGATIONS = (
    "not {}", "not {}", "not at all {}", "not really {}", "not very {}", "not that {}", "isn't {}", "wasn't {}", "it's not {}",
    "it was not {}", "this is not {}", "they are not {}", "never {}", "hardly {}", "no longer {}", "far from {}", "anything but {}",
    "nothing {}", "without being {}", "i don't find it {}", "i can't call it {}", "nobody would call it {}", "neither {} nor {}",
    "not {} but {}", "not only {} but {}",
)  # fmt: skip
VERBS = re.compile(r"\b(?:is|are|was|were|does|do|did|can|could|will|would|has|have)\b", re.IGNORECASE)
DENIED = re.compile(r"n't\b| not\b| never\b")


@dataclass(frozen=True)
class Teacher:
    """Its answers: logits of LABELS, by text as `key_of` gives it."""

    answers: dict[str, np.ndarray]
    invented: list[Example]

    @staticmethod
    def load(work: Path) -> Teacher:
        path = work / "teacher.jsonl"
        if not path.exists():
            raise SystemExit(f"{path} is missing: run sentiment_training.teach once accurate is exported")
        answers: dict[str, np.ndarray] = {}
        invented: list[Example] = []
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                answer = json.loads(line)
                logits = np.array(answer["logits"], dtype=np.float32)
                answers[key_of(answer["text"])] = logits
                if answer["invented"]:
                    invented.append(Example(answer["text"], tuple(probabilities_of(logits).tolist())))
        return Teacher(answers, invented)

    def probabilities(self, texts: list[str], softening: float) -> np.ndarray:
        """Shape [texts, 3]; of the logits divided by `softening`."""
        return probabilities_of(np.stack([self.answers[key_of(text)] for text in texts]), softening)


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


def swap(text: str, near: dict[str, list[str]], chance: random.Random) -> str:
    words = text.split(" ")
    for place, word in enumerate(words):
        others = near.get(word.strip(".,!?\"'();:").lower())
        if others and chance.random() < SWAPPED:
            words[place] = word.replace(word.strip(".,!?\"'();:"), chance.choice(others))
    return " ".join(words)


def deny(text: str, chance: random.Random) -> str:
    """With one negation fewer, or with "not" after one of its verbs; as it is where it has neither."""
    if DENIED.search(text):
        return DENIED.sub("", text, count=1)
    verbs = [*VERBS.finditer(text)]
    if not verbs:
        return text
    end = chance.choice(verbs).end()
    return f"{text[:end]} not{text[end:]}"


def negated_phrases(mix: list[Example], chance: random.Random) -> list[str]:
    """Short phrases that are not neutral, in the frames of NEGATIONS."""
    short = sorted({key_of(example.text) for example in mix if example.label != 1 and len(example.text.split(" ")) <= LONGEST_NEGATED})
    return [chance.choice(NEGATIONS).format(*chance.sample(short, 2)) for _ in range(NEGATED_PHRASES)] if len(short) > 1 else []


def invented_texts(mix: list[Example], near: dict[str, list[str]], seed: int) -> list[str]:
    """None of which is a text of `mix`."""
    chance = random.Random(f"{seed}/invent")
    sentences = [example.text for example in mix if example.weight > 1]
    swapped = [swap(text, near, chance) for text in sentences for _ in range(SWAPPED_PER_SENTENCE)]
    denied = [deny(text, chance) for text in sentences]
    return sorted({*swapped, *denied, *negated_phrases(mix, chance)} - {example.text for example in mix})


def teach(data: Path, work: Path, repository: Path, seed: int = 7) -> None:
    target = work / "teacher.jsonl"
    if target.exists():
        print(f"teacher: {target} is there already; delete it to make it again", flush=True)
        return
    work.mkdir(parents=True, exist_ok=True)
    folder = repository / "sentiment_accurate"
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    near = near_words(load_base("accurate").base_model.embeddings.word_embeddings.weight.detach(), tokenizer)

    mix = training_mix(data)
    texts = list(dict.fromkeys(example.text for example in mix))
    invented = invented_texts(mix, near, seed)
    everything = [*texts, *invented]
    model = OnnxModel(folder / "1" / "model.onnx", BASES["accurate"].pad_id)
    logits = model.sorted(encode(tokenizer, everything), progress="teacher")
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
    parser.add_argument("--repository", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    teach(given.data, given.work, given.repository)


if __name__ == "__main__":
    main()
