"""Chooses the cascade's threshold on SST dev, and writes it into fast's configuration.

    python -m sentiment_training.cascade --data DATA --repository triton-model-repo

A text goes on from fast to accurate where fast's calibrated confidence is under the threshold. Taken is the least threshold that
keeps KEPT of accurate's accuracy on SST-2 dev; where none does before MOST_PASSED_ON of the texts go on, the one that keeps most.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from .base import BASES
from .calibrate import probabilities_of
from .model import encode
from .onnx_model import OnnxModel
from .repository import read_settings, write_configs
from .slices import Slice, dev_slices

KEPT = 0.995
MOST_PASSED_ON = 0.3
"""When this was chosen fast itself cost 14 % of accurate's CPU time; the cascade may take 45 %."""


def choose(dev: Slice, fast: np.ndarray, accurate: np.ndarray) -> float:
    """`fast` and `accurate` are probabilities of the dev texts, shape [texts, 3]."""
    # Cost and accuracy of the same texts: those that the slice scores.
    polar = dev.labels != 1
    confidence = fast.max(1)
    goal = dev.right(accurate).mean()
    best, kept = 0.0, 0.0
    for threshold in np.arange(0.34, 1.0, 0.01).round(2):
        passed_on = confidence < threshold
        if passed_on[polar].mean() > MOST_PASSED_ON:
            break
        share = dev.right(np.where(passed_on[:, None], accurate, fast)).mean() / goal
        if share > kept:
            best, kept = float(threshold), float(share)
        if kept >= KEPT:
            break
    print(f"cascade: threshold {best}, {(confidence < best)[polar].mean():.1%} go on, {kept:.1%} of accurate's accuracy on SST-2 dev")
    return best


def probabilities(tier: str, texts: list[str], repository: Path) -> np.ndarray:
    """What the tier's model in the repository says, calibrated; shape [texts, 3]."""
    folder = repository / f"sentiment_{tier}"
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    model = OnnxModel(folder / "1" / "model.onnx", BASES[tier].pad_id)
    return probabilities_of(model.sorted(encode(tokenizer, texts)), read_settings(folder).temperature)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--repository", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    dev = dev_slices(given.data)[0]
    texts = [example.text for example in dev.examples]
    threshold = choose(dev, *(probabilities(tier, texts, given.repository) for tier in ("fast", "accurate")))
    folder = given.repository / "sentiment_fast"
    write_configs(folder, replace(read_settings(folder), cascade_threshold=threshold))


if __name__ == "__main__":
    main()
