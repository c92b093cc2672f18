"""The public function, and what runs in each task."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql.types import StringType, StructField, StructType

from sentiment_spark import columns
from sentiment_spark.asking import Outcome, analyze
from sentiment_spark.faults import Fault
from sentiment_spark.pace import Pace
from sentiment_spark.settings import Limits, LongText, Settings, Tier, Tls
from sentiment_spark.stream import OpenStream, open_channel, streams_of

# No server with its default settings takes so long a text. One that is set lower ends the stream: then its neighbours are asked again.
MAX_TEXT_BYTES = 1_000_000

Batches = Iterable[pa.RecordBatch]


def with_sentiment(
    frame: DataFrame,
    text_column: str,
    *,
    target: str,
    tier: Tier = "default",
    prefix: str = "sentiment_",
    long_text: LongText = "windows",
    api_key: str | None = None,
    tls: Tls | None = None,
    limits: Limits = Limits(),
) -> DataFrame:
    """The frame with columns that say what the server at `target` thinks of each text; the README names them.

    Lazy, as all of Spark: each action asks again, so write or persist what comes out. A row whose text cannot be analyzed has its
    reason in the error columns; a server that cannot be asked fails the task. "default" is the server's own default tier.
    """
    settings = Settings(target, tier, long_text, api_key, tls, limits)
    place = _place_of(frame.schema, text_column)
    added = columns.fields(prefix)
    taken = {name.lower() for name in frame.columns}
    clashes = [field.name for field in added if field.name.lower() in taken]
    if clashes:
        raise ValueError(f"the frame has columns of these names already: {', '.join(clashes)}; choose another prefix")
    fields = [*frame.schema.fields, *added]
    # By number meanwhile: Spark looks columns up by name there, and cannot where two have the same one or one has a dot in it.
    numbered = [f"c{place}" for place in range(len(fields))]
    schema = StructType(
        [StructField(name, field.dataType, field.nullable, field.metadata) for name, field in zip(numbered, fields)]
    )
    # Not mapInPandas: it fails on other columns' values that pandas cannot hold, such as a timestamp before 1677.
    answered = frame.toDF(*numbered[: len(frame.columns)]).mapInArrow(per_task(settings, place), schema)
    return answered.toDF(*(field.name for field in fields))


def _place_of(schema: StructType, text_column: str) -> int:
    places = [place for place, name in enumerate(schema.names) if name == text_column]
    if len(places) != 1:
        found = "no column" if not places else f"{len(places)} columns"
        raise ValueError(f"the frame has {found} {text_column!r}; it has: {', '.join(schema.names)}")
    kind = schema.fields[places[0]].dataType
    if not isinstance(kind, StringType):
        raise ValueError(f"the column {text_column!r} must hold strings; it holds {kind.simpleString()}")
    return places[0]


def per_task(settings: Settings, place: int) -> Callable[[Batches], Iterator[pa.RecordBatch]]:
    """One connection a task, one stream a batch of rows, one batch in memory. Columns go out as c0, c1 and so on."""

    def ask(batches: Batches) -> Iterator[pa.RecordBatch]:
        pace = Pace(settings.limits.max_under_way)
        with open_channel(settings) as channel:
            open_stream = streams_of(channel, settings)
            for batch in batches:
                outcomes = _outcomes(batch.column(place), open_stream, settings, pace)
                arrays = [*batch.columns, *columns.arrays(outcomes)]
                yield pa.RecordBatch.from_arrays(arrays, [f"c{place}" for place in range(len(arrays))])

    return ask


def _outcomes(texts: pa.Array, open_stream: OpenStream, settings: Settings, pace: Pace) -> list[Outcome | None]:
    """None for a null."""
    # As bytes: Spark lets strings hold what is no UTF-8, and that is a row's fault, not the batch's.
    read = [_read(raw) for raw in texts.cast(pa.large_binary()).to_pylist()]
    good = [text for text in read if isinstance(text, str)]
    answers = iter(analyze(good, open_stream, settings, pace))
    return [next(answers) if isinstance(text, str) else text for text in read]


def _read(raw: bytes | None) -> str | Fault | None:
    if raw is None:
        return None
    if len(raw) > MAX_TEXT_BYTES:
        return Fault("TEXT_TOO_LONG", f"The text has {len(raw)} bytes; over {MAX_TEXT_BYTES} are not sent: cut it.", False)
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        return Fault("TEXT_NOT_UTF8", f"The text is not valid UTF-8 at byte {error.start}.", False)
