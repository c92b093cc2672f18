"""The model card of an imported model."""

from __future__ import annotations

from dataclasses import dataclass

from .export import OPSET
from .import_labels import LabelMapping
from .import_score import Accuracy

_CARD = """\
# {folder}

Imported with `make import-model`: {name}, {parameters:.1f} million parameters, {megabytes:.1f} MB.

- **Base**: {name} ({architecture}). Its licence, its training data and its limits are those that its own card tells.
- **Inputs**: `input_ids`, `attention_mask`, int64 [batch, sequence], at most {max_length} tokens, special ones included;
  **output** `logits`, float [batch, 3]: negative, neutral, positive. ONNX opset {opset}.
- **Precision**: {precision}. An answer does not depend on what else is in the batch.
- **Temperature**: {temperature}.

## Labels

{note}.

{labels}
{neutral}
## Scores

{scores}
"""
_NO_NEUTRAL = "\nThe model does not know neutral: its probability is always 0.\n"


@dataclass(frozen=True)
class Card:
    """What it tells."""

    folder: str
    name: str
    architecture: str
    parameters: int
    precision: str
    file_bytes: int
    max_length: int
    """Tokens, special ones included."""
    temperature: float
    mapping: LabelMapping
    scores: str
    """Markdown."""


def scores_text(accuracies: list[Accuracy], scored_file: str) -> str:
    """Markdown."""
    rows = [f"| {one.name} | {one.share:.4f} | {one.interval[0]:.4f} to {one.interval[1]:.4f} | {one.texts} |" for one in accuracies]
    head = [f"Of this file, on {scored_file}, long texts cut.", "", "| task | accuracy | 95 % interval | texts |", "|---|---|---|---|"]
    return "\n".join([*head, *rows])


def card_text(card: Card) -> str:
    return _CARD.format(
        folder=card.folder,
        name=card.name,
        architecture=card.architecture,
        parameters=card.parameters / 1e6,
        precision=card.precision,
        megabytes=card.file_bytes / 1e6,
        max_length=card.max_length,
        opset=OPSET,
        temperature=card.temperature,
        note=card.mapping.note[0].upper() + card.mapping.note[1:],
        labels=card.mapping.table(),
        neutral="" if card.mapping.has_neutral else _NO_NEUTRAL,
        scores=card.scores,
    )
