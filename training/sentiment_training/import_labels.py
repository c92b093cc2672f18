"""What each output of an imported model means, and the part of its graph that makes them negative, neutral, positive."""

from __future__ import annotations

import re
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn.functional import softplus
from transformers import PreTrainedConfig
from transformers.modeling_outputs import SequenceClassifierOutput

from .data import LABELS

GRADES = ("very negative", "negative", "neutral", "positive", "very positive")
_CLASS_OF = {0: "negative", 1: "negative", 2: "neutral", 3: "positive", 4: "positive"}
_SCALES = {2: (1, 3), 3: (1, 2, 3), 5: (0, 1, 2, 3, 4)}
"""Grades (indexes into GRADES) that a model of so many classes tells apart."""
_SHORT = {"neg": "negative", "neu": "neutral", "pos": "positive"}

NEVER = -1e4
"""Logit of neutral where the model has none: its probability is 0 at every temperature, and float16 holds it as well."""


@dataclass(frozen=True)
class LabelMapping:
    names: tuple[str, ...]
    """What the model calls its outputs, in their order."""
    grades: tuple[int, ...]
    """What they mean: indexes into GRADES."""
    note: str
    """Where that was found, for people."""

    @property
    def outputs(self) -> tuple[tuple[int, ...], ...]:
        """For each of LABELS the places of the outputs that count as it: none, one or two."""
        return tuple(tuple(place for place, grade in enumerate(self.grades) if _CLASS_OF[grade] == label) for label in LABELS)

    @property
    def has_neutral(self) -> bool:
        return 2 in self.grades

    def table(self) -> str:
        """Markdown: a row an output."""
        rows = [f"| {place} | {name} | {_CLASS_OF[grade]} |" for place, (name, grade) in enumerate(zip(self.names, self.grades, strict=True))]
        return "\n".join(["| output | the model's label | served as |", "|---|---|---|", *rows])


def grade_of(name: str) -> int | None:
    """Index into GRADES of a label such as NEGATIVE, pos, "very-negative", "4 stars"; None where it is not of that kind."""
    words = re.sub(r"[\s_-]+", " ", name).strip().lower()
    stars = re.fullmatch(r"([1-5]) stars?", words)
    if stars:
        return int(stars[1]) - 1
    spelled = " ".join(_SHORT.get(word, word) for word in words.split(" "))
    return GRADES.index(spelled) if spelled in GRADES else None


def _is_scale(grades: list[int | None]) -> bool:
    return None not in grades and tuple(sorted(grades)) == _SCALES.get(len(grades))


def _how_to_give(count: int) -> str:
    example = ",".join(GRADES[grade] for grade in _SCALES[count])
    return f'give --labels (make: LABELS=) with what its {count} outputs mean, in their order, such as "{example}"'


def _given_mapping(names: tuple[str, ...], labels: str) -> LabelMapping:
    given = [label.strip() for label in labels.split(",")]
    grades = [grade_of(label) for label in given]
    if len(given) != len(names) or not _is_scale(grades):
        raise SystemExit(f"--labels {labels} does not fit a model with the labels {', '.join(names)}: {_how_to_give(len(names))}")
    return LabelMapping(names, tuple(grades), f"labels as given with --labels: {', '.join(given)}")


def read_labels(config: PreTrainedConfig, labels: str | None) -> LabelMapping:
    """By `labels` (comma-separated, in the order of the outputs), else by the words of id2label, else by convention."""
    if config.problem_type in ("multi_label_classification", "regression") or config.num_labels == 1:
        kind = config.problem_type or "regression: it has one output"
        raise SystemExit(f"the model is no single-choice classifier ({kind}): take one trained to choose between 2, 3 or 5 classes")
    names = tuple(str(config.id2label.get(place, f"LABEL_{place}")) for place in range(config.num_labels))
    if len(names) not in _SCALES:
        raise SystemExit(f"the model has {len(names)} labels ({', '.join(names)}): only models of 2, 3 or 5 sentiment classes can be served")
    if labels is not None:
        return _given_mapping(names, labels)
    grades = [grade_of(name) for name in names]
    if _is_scale(grades):
        return LabelMapping(names, tuple(grades), "labels by the words of the model's id2label")
    if all(name.upper() == f"LABEL_{place}" for place, name in enumerate(names)):
        scale = _SCALES[len(names)]
        order = ", ".join(GRADES[grade] for grade in scale)
        return LabelMapping(names, scale, f"labels have no names; taken in the usual order {order}. If that is wrong, give --labels")
    raise SystemExit(f"the model's labels ({', '.join(names)}) are not known as sentiment: {_how_to_give(len(names))}")


def three_classes(logits: torch.Tensor, outputs: tuple[tuple[int, ...], ...]) -> torch.Tensor:
    """Shape [batch, classes] to [batch, 3], such that softmax gives each of LABELS the sum of its outputs' probabilities."""
    columns = []
    for places in outputs:
        # Slices, not an index: that would be a Gather, which quantization would round.
        parts = [logits[:, place : place + 1] for place in places]
        if not parts:
            columns.append(torch.full_like(logits[:, :1], NEVER))
        elif len(parts) == 1:
            columns.append(parts[0])
        else:
            # log(exp(a) + exp(b)) without an exp that could overflow in float16.
            columns.append(torch.maximum(*parts) + softplus(-(parts[0] - parts[1]).abs()))
    return torch.cat(columns, dim=1)


class ThreeClasses(nn.Module):
    """A sequence classifier whose logits are those of LABELS."""

    def __init__(self, model: nn.Module, mapping: LabelMapping):
        super().__init__()
        self.model = model
        self.outputs = mapping.outputs

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> SequenceClassifierOutput:
        logits = self.model(input_ids=input_ids, attention_mask=attention_mask).logits
        return SequenceClassifierOutput(logits=three_classes(logits, self.outputs))
