"""What is asked about texts, and what comes back of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Union

import grpc

from sentiment_client.errors import Reason, SentimentError, error_of_status
from sentiment_client.gen import sentiment_pb2 as api

#: Which model answers; where none is named the server's default does.
TierName = Literal["fast", "balanced", "accurate", "auto"]

_TIERS: dict[TierName, api.Tier] = {
    "fast": api.TIER_FAST,
    "balanced": api.TIER_BALANCED,
    "accurate": api.TIER_ACCURATE,
    "auto": api.TIER_AUTO,
}

#: Of one text: an answer, or why there is none.
Outcome = Union[api.Sentiment, SentimentError]

# What a server with its default settings reads at all. To one that is set lower a text may still be too large: `is_too_large`.
MAX_TEXT_LENGTH = 1_000_000


@dataclass(frozen=True)
class Question:
    tier: api.Tier
    options: api.AnalyzeOptions | None

    def one(self, text: str) -> api.AnalyzeRequest:
        return api.AnalyzeRequest(text=text, tier=self.tier, options=self.options)

    def batch(self, texts: list[str]) -> api.AnalyzeBatchRequest:
        return api.AnalyzeBatchRequest(texts=texts, tier=self.tier, options=self.options)

    def streamed(self, index: int, text: str) -> api.AnalyzeStreamRequest:
        return api.AnalyzeStreamRequest(id=str(index), text=text, tier=self.tier, options=self.options)


def question_of(tier: TierName | None, options: api.AnalyzeOptions | None) -> Question:
    if tier is None:
        return Question(api.TIER_UNSPECIFIED, options)
    if tier not in _TIERS:
        raise ValueError(f"tier must be one of {', '.join(_TIERS)}, or None; it is {tier!r}")
    return Question(_TIERS[tier], options)


def fault_of(text: str) -> SentimentError | None:
    """Why a text cannot even be sent; the server would say the same of it."""
    invalid = grpc.StatusCode.INVALID_ARGUMENT
    if len(text) > MAX_TEXT_LENGTH:
        message = f"The text has {len(text)} code points; over {MAX_TEXT_LENGTH} are not sent: cut it."
        return SentimentError(invalid, Reason.TEXT_TOO_LONG, message)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        message = f"The text has half a surrogate pair at code point {error.start}: it cannot be written as UTF-8."
        return SentimentError(invalid, Reason.TEXT_NOT_UTF8, message)
    return None


def outcome_of(result: api.AnalyzeResult | api.AnalyzeStreamResponse) -> Outcome:
    return result.sentiment if result.HasField("sentiment") else error_of_status(result.error)
