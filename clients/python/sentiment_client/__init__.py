"""Client of a Sentiment Analyzer Pro server, for threads and for asyncio."""

from sentiment_client.async_client import AsyncSentimentClient
from sentiment_client.client import SentimentClient
from sentiment_client.connection import Tls
from sentiment_client.errors import FieldViolation, Reason, SentimentError
from sentiment_client.gen.sentiment_pb2 import (
    AnalyzeOptions,
    AnalyzeResponse,
    CacheTier,
    Label,
    LongText,
    Model,
    Sentiment,
    Tier,
    Timing,
)
from sentiment_client.questions import Outcome, TierName

__all__ = [
    "AnalyzeOptions",
    "AnalyzeResponse",
    "AsyncSentimentClient",
    "CacheTier",
    "FieldViolation",
    "Label",
    "LongText",
    "Model",
    "Outcome",
    "Reason",
    "Sentiment",
    "SentimentClient",
    "SentimentError",
    "Tier",
    "TierName",
    "Timing",
    "Tls",
]
