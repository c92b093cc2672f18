"""What is said of a text, as Spark's columns and as Arrow's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyspark.sql import types as spark

from sentiment_spark.asking import Outcome
from sentiment_spark.faults import Fault
from sentiment_spark.gen import sentiment_pb2 as api

LABELS = ("negative", "neutral", "positive")


@dataclass(frozen=True)
class Column:
    name: str
    spark_type: spark.DataType
    arrow_type: pa.DataType
    read: Callable[[api.Sentiment], Any]


def _word(enum: Any, prefix: str, value: int) -> str:
    return enum.Name(value).removeprefix(prefix).lower()


def _probabilities(sentiment: api.Sentiment) -> dict[str, float]:
    return {label: getattr(sentiment.probabilities, label) for label in LABELS}


_FLOAT = (spark.FloatType(), pa.float32())
_INT = (spark.IntegerType(), pa.int32())
_STRING = (spark.StringType(), pa.string())
_PROBABILITIES = (
    spark.StructType([spark.StructField(label, spark.FloatType()) for label in LABELS]),
    pa.struct([(label, pa.float32()) for label in LABELS]),
)

COLUMNS = (
    Column("label", *_STRING, lambda said: _word(api.Label, "LABEL_", said.label)),
    Column("score", *_FLOAT, lambda said: said.score),
    Column("confidence", *_FLOAT, lambda said: said.confidence),
    Column("probabilities", *_PROBABILITIES, _probabilities),
    Column("tier", *_STRING, lambda said: _word(api.Tier, "TIER_", said.tier)),
    Column("model", *_STRING, lambda said: said.model),
    Column("model_version", *_STRING, lambda said: said.model_version),
    Column("cache", *_STRING, lambda said: _word(api.CacheTier, "CACHE_TIER_", said.cache)),
    Column("token_count", *_INT, lambda said: said.token_count),
    Column("analyzed_token_count", *_INT, lambda said: said.analyzed_token_count),
)
ERROR_COLUMNS = ("error_reason", "error_message")


def fields(prefix: str) -> list[spark.StructField]:
    said = [spark.StructField(prefix + column.name, column.spark_type) for column in COLUMNS]
    return said + [spark.StructField(prefix + name, spark.StringType()) for name in ERROR_COLUMNS]


def arrays(outcomes: Sequence[Outcome | None]) -> list[pa.Array]:
    """In the order of `fields`. None: of a row without a text, all null."""
    said = [outcome if isinstance(outcome, api.Sentiment) else None for outcome in outcomes]
    faults = [outcome if isinstance(outcome, Fault) else None for outcome in outcomes]
    return [
        *(pa.array([None if one is None else column.read(one) for one in said], column.arrow_type) for column in COLUMNS),
        pa.array([None if fault is None else fault.reason for fault in faults], pa.string()),
        pa.array([None if fault is None else fault.message for fault in faults], pa.string()),
    ]
