"""The model that every peer serves: the committed int8 balanced model and its tokenizer, by onnxruntime.

MODEL_FOLDER names the model's folder. One thread a session: each peer runs two processes with a session each, so that two cores are busy and no more.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer
from typing_extensions import TypedDict


class Answer(TypedDict):
    label: str
    probabilities: list[float]
    """In the order of labels.txt."""


class SentimentModel:
    def __init__(self) -> None:
        folder = Path(os.environ["MODEL_FOLDER"])
        self.labels = (folder / "labels.txt").read_text().split()
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        # Whatever the file says: padded to the longest of a batch, never to a fixed length.
        self.tokenizer.no_truncation()
        self.tokenizer.enable_padding()
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            str(folder / "1" / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )

    def classify(self, texts: Sequence[str]) -> list[Answer]:
        """All texts in one run."""
        rows = self.tokenizer.encode_batch_fast(texts)
        feeds = {
            "input_ids": np.array([row.ids for row in rows], dtype=np.int64),
            "attention_mask": np.array([row.attention_mask for row in rows], dtype=np.int64),
        }
        (logits,) = self.session.run(["logits"], feeds)
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
        return [
            {"label": self.labels[best], "probabilities": row}
            for best, row in zip(probabilities.argmax(axis=1).tolist(), probabilities.tolist(), strict=True)
        ]
