"""Arguments that cannot be meant."""

from __future__ import annotations

import math


def check_count(name: str, value: int) -> None:
    if not isinstance(value, int) or value < 1:
        raise ValueError(f"{name} must be a whole number, at least 1; it is {value!r}")


def check_seconds(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f"{name} must be over 0 seconds and finite; it is {value!r}")


def check_texts(texts: object) -> None:
    """Type checkers let a str through: it is an iterable of str."""
    if isinstance(texts, str):
        raise TypeError("texts must be several; for one there is analyze()")
