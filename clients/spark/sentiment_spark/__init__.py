"""Sentiment of a DataFrame's text column, by a Sentiment Analyzer Pro server."""

from sentiment_spark.errors import SentimentError, ServerUnavailable
from sentiment_spark.frame import with_sentiment
from sentiment_spark.settings import Limits, LongText, Tier, Tls

__all__ = ["Limits", "LongText", "SentimentError", "ServerUnavailable", "Tier", "Tls", "with_sentiment"]
