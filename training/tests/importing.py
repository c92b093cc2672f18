"""An import as a test calls it."""

from __future__ import annotations

import contextlib
import io
import unittest
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from sentiment_training.import_model import main
from sentiment_training.import_onnx import encode_within, pad_id_of
from sentiment_training.onnx_model import OnnxModel


def run_import(name: Path | str, repository: Path, *arguments: str, tier: str | None = "fast") -> str:
    """What it prints."""
    tier_arguments = [] if tier is None else ["--tier", tier]
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(io.StringIO()):
        main(["--name", str(name), "--repository", str(repository), *tier_arguments, *arguments])
    return said.getvalue()


def refusal_of(test: unittest.TestCase, *arguments: str) -> str:
    """The one line with which an import of these arguments ends."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()), test.assertRaises(SystemExit) as ended:
        main(list(arguments))
    message = ended.exception.code
    test.assertIsInstance(message, str)
    test.assertNotIn("\n", message)
    return message


def imported(folder: Path) -> tuple[OnnxModel, Tokenizer]:
    """The model and the tokenizer of a folder of the repository."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    # Not fused: without VNNI int8 products saturate, and the wild ranges of random weights much more than a trained model's.
    return OnnxModel(folder / "1" / "model.onnx", pad_id_of(tokenizer), fused=False), tokenizer


def imported_logits(folder: Path, texts: tuple[str, ...], max_length: int) -> dict[str, np.ndarray]:
    """Shape [texts, 3]: of each text alone, and of all of them in one padded batch."""
    model, tokenizer = imported(folder)
    rows = encode_within(tokenizer, list(texts), max_length)
    return {"alone": model.each(rows), "together": model.together(rows)}
