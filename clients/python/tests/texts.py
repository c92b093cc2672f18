"""What is asked about."""

from __future__ import annotations

import random

from sentiment_client import Outcome, Sentiment, SentimentError

WORDS = "the film was a good bad dull bright long story with no plot and great fine poor acting I loved hated it".split()


def some_texts(count: int, seed: int = 1) -> list[str]:
    """Distinct."""
    chance = random.Random(seed)
    return [" ".join(chance.choices(WORDS, k=chance.randint(3, 12))) + f" {place}" for place in range(count)]


def of_lengths(count: int) -> list[str]:
    """Each of its own length, which the scripted server gives back as the score."""
    return ["x" * (place + 1) for place in range(count)]


def scores(outcomes: list[Outcome]) -> list[float]:
    """Fails for an error."""
    return [answered(outcome).score for outcome in outcomes]


def answered(outcome: Outcome) -> Sentiment:
    if isinstance(outcome, SentimentError):
        raise AssertionError(f"no answer: {outcome}")
    return outcome


def reasons(outcomes: list[Outcome]) -> list[str | None]:
    return [outcome.reason if isinstance(outcome, SentimentError) else None for outcome in outcomes]
