"""One temperature a model: logits are divided by it before the softmax, so that a confidence of 0.8 is right in 80 of 100 texts."""

from __future__ import annotations

import numpy as np

BINS = 15


def probabilities_of(logits: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    """Softmax over the last axis."""
    scaled = logits / temperature
    weights = np.exp(scaled - scaled.max(-1, keepdims=True))
    return (weights / weights.sum(-1, keepdims=True)).astype(np.float32)


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The one under which the labels are the most probable, to 0.01. `logits` of shape [texts, 3]."""

    def surprise(temperature: float) -> float:
        return float(-np.log(probabilities_of(logits, temperature)[np.arange(len(labels)), labels] + 1e-12).mean())

    return round(min(np.arange(0.3, 4.0, 0.01), key=surprise), 2)


def calibration_error(probabilities: np.ndarray, labels: np.ndarray) -> float:
    """Expected calibration error (Guo et al., ICML 2017) over equal bins of the confidence."""
    confidence = probabilities.max(1)
    right = probabilities.argmax(1) == labels
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    parts = [
        (bins == one).mean() * abs(confidence[bins == one].mean() - right[bins == one].mean()) for one in range(BINS) if (bins == one).any()
    ]
    return float(sum(parts))
