"""What an ONNX file says of rows of token ids."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime
import torch

from .data import batches_of
from .model import pad

PROGRESS_SECONDS = 20
TOKENS_PER_BATCH = 512
"""Padded tokens of a batch of `sorted`: more are not faster on a CPU."""


class OnnxModel:
    """A file's logits, shape [rows, 3]. With `fused=False` int8 products are made in float, which saturates on no CPU, and slowly."""

    def __init__(self, path: Path, pad_id: int, *, fused: bool = True):
        self._path = path
        self._pad_id = pad_id
        self._fused = fused
        self._session = self._open(torch.get_num_threads())

    def _open(self, threads: int) -> onnxruntime.InferenceSession:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        if not self._fused:
            options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        return onnxruntime.InferenceSession(str(self._path), options, providers=["CPUExecutionProvider"])

    def together(self, rows: list[list[int]]) -> np.ndarray:
        """Of the rows in one batch."""
        return self._run(self._session, rows)

    def _run(self, session: onnxruntime.InferenceSession, rows: list[list[int]]) -> np.ndarray:
        ids, mask = pad(rows, self._pad_id)
        return session.run(["logits"], {"input_ids": ids.numpy(), "attention_mask": mask.numpy()})[0]

    def each(self, rows: list[list[int]], progress: str = "") -> np.ndarray:
        """Of each row alone. `progress` names it on the way, where that takes long."""
        shown = _Progress(progress, len(rows))
        found = []
        for row in rows:
            found.append(self.together([row])[0])
            shown.add(1)
        return np.array(found)

    def sorted(self, rows: list[list[int]], progress: str = "") -> np.ndarray:
        """Of many rows, in batches of near-equal length; a session of one thread on each of torch's threads."""
        lengths = [len(row) for row in rows]
        out = np.empty((len(rows), 3), dtype=np.float32)
        shown = _Progress(progress, sum(lengths))
        batches = iter(batches_of(lengths, TOKENS_PER_BATCH, seed=0, epoch=0))

        def work(session: onnxruntime.InferenceSession) -> None:
            # Taking the next item of a list's iterator is one step under the interpreter's lock.
            for batch in batches:
                out[batch] = self._run(session, [rows[row] for row in batch])
                shown.add(sum(lengths[row] for row in batch))

        sessions = [self._open(1) for _ in range(torch.get_num_threads())]
        with ThreadPoolExecutor(len(sessions)) as pool:
            list(pool.map(work, sessions))
        return out


class _Progress:
    """Prints now and then how much of `total` is done, where it has a name."""

    def __init__(self, name: str, total: int):
        self._name = name
        self._total = total
        self._done = 0
        self._began = self._shown = time.monotonic()

    def add(self, count: int) -> None:
        self._done += count
        now = time.monotonic()
        if self._name and now - self._shown > PROGRESS_SECONDS:
            self._shown, left = now, (now - self._began) * (self._total / self._done - 1)
            print(f"{self._name}: {self._done}/{self._total}  {left / 60:.1f} min left", flush=True)
