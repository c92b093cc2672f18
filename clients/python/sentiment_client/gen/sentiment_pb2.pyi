from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Tier(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TIER_UNSPECIFIED: _ClassVar[Tier]
    TIER_FAST: _ClassVar[Tier]
    TIER_BALANCED: _ClassVar[Tier]
    TIER_ACCURATE: _ClassVar[Tier]
    TIER_AUTO: _ClassVar[Tier]

class LongText(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LONG_TEXT_UNSPECIFIED: _ClassVar[LongText]
    LONG_TEXT_WINDOWS: _ClassVar[LongText]
    LONG_TEXT_TRUNCATE: _ClassVar[LongText]
    LONG_TEXT_REJECT: _ClassVar[LongText]

class Label(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LABEL_UNSPECIFIED: _ClassVar[Label]
    LABEL_NEGATIVE: _ClassVar[Label]
    LABEL_NEUTRAL: _ClassVar[Label]
    LABEL_POSITIVE: _ClassVar[Label]

class CacheTier(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CACHE_TIER_UNSPECIFIED: _ClassVar[CacheTier]
    CACHE_TIER_NONE: _ClassVar[CacheTier]
    CACHE_TIER_MEMORY: _ClassVar[CacheTier]
    CACHE_TIER_REDIS: _ClassVar[CacheTier]

class ProfileKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROFILE_KIND_UNSPECIFIED: _ClassVar[ProfileKind]
    PROFILE_KIND_CPU: _ClassVar[ProfileKind]
    PROFILE_KIND_HEAP: _ClassVar[ProfileKind]
    PROFILE_KIND_ALLOCATION: _ClassVar[ProfileKind]
TIER_UNSPECIFIED: Tier
TIER_FAST: Tier
TIER_BALANCED: Tier
TIER_ACCURATE: Tier
TIER_AUTO: Tier
LONG_TEXT_UNSPECIFIED: LongText
LONG_TEXT_WINDOWS: LongText
LONG_TEXT_TRUNCATE: LongText
LONG_TEXT_REJECT: LongText
LABEL_UNSPECIFIED: Label
LABEL_NEGATIVE: Label
LABEL_NEUTRAL: Label
LABEL_POSITIVE: Label
CACHE_TIER_UNSPECIFIED: CacheTier
CACHE_TIER_NONE: CacheTier
CACHE_TIER_MEMORY: CacheTier
CACHE_TIER_REDIS: CacheTier
PROFILE_KIND_UNSPECIFIED: ProfileKind
PROFILE_KIND_CPU: ProfileKind
PROFILE_KIND_HEAP: ProfileKind
PROFILE_KIND_ALLOCATION: ProfileKind

class AnalyzeOptions(_message.Message):
    __slots__ = ("explain", "sentences", "skip_cache", "long_text")
    EXPLAIN_FIELD_NUMBER: _ClassVar[int]
    SENTENCES_FIELD_NUMBER: _ClassVar[int]
    SKIP_CACHE_FIELD_NUMBER: _ClassVar[int]
    LONG_TEXT_FIELD_NUMBER: _ClassVar[int]
    explain: bool
    sentences: bool
    skip_cache: bool
    long_text: LongText
    def __init__(self, explain: bool = ..., sentences: bool = ..., skip_cache: bool = ..., long_text: _Optional[_Union[LongText, str]] = ...) -> None: ...

class AnalyzeRequest(_message.Message):
    __slots__ = ("text", "tier", "options")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TIER_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    text: str
    tier: Tier
    options: AnalyzeOptions
    def __init__(self, text: _Optional[str] = ..., tier: _Optional[_Union[Tier, str]] = ..., options: _Optional[_Union[AnalyzeOptions, _Mapping]] = ...) -> None: ...

class AnalyzeResponse(_message.Message):
    __slots__ = ("sentiment", "timing")
    SENTIMENT_FIELD_NUMBER: _ClassVar[int]
    TIMING_FIELD_NUMBER: _ClassVar[int]
    sentiment: Sentiment
    timing: Timing
    def __init__(self, sentiment: _Optional[_Union[Sentiment, _Mapping]] = ..., timing: _Optional[_Union[Timing, _Mapping]] = ...) -> None: ...

class AnalyzeBatchRequest(_message.Message):
    __slots__ = ("texts", "tier", "options")
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    TIER_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    texts: _containers.RepeatedScalarFieldContainer[str]
    tier: Tier
    options: AnalyzeOptions
    def __init__(self, texts: _Optional[_Iterable[str]] = ..., tier: _Optional[_Union[Tier, str]] = ..., options: _Optional[_Union[AnalyzeOptions, _Mapping]] = ...) -> None: ...

class AnalyzeBatchResponse(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[AnalyzeResult]
    def __init__(self, results: _Optional[_Iterable[_Union[AnalyzeResult, _Mapping]]] = ...) -> None: ...

class AnalyzeResult(_message.Message):
    __slots__ = ("index", "sentiment", "error")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    SENTIMENT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    index: int
    sentiment: Sentiment
    error: _status_pb2.Status
    def __init__(self, index: _Optional[int] = ..., sentiment: _Optional[_Union[Sentiment, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class AnalyzeStreamRequest(_message.Message):
    __slots__ = ("id", "text", "tier", "options")
    ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TIER_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    id: str
    text: str
    tier: Tier
    options: AnalyzeOptions
    def __init__(self, id: _Optional[str] = ..., text: _Optional[str] = ..., tier: _Optional[_Union[Tier, str]] = ..., options: _Optional[_Union[AnalyzeOptions, _Mapping]] = ...) -> None: ...

class AnalyzeStreamResponse(_message.Message):
    __slots__ = ("id", "sentiment", "error")
    ID_FIELD_NUMBER: _ClassVar[int]
    SENTIMENT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    id: str
    sentiment: Sentiment
    error: _status_pb2.Status
    def __init__(self, id: _Optional[str] = ..., sentiment: _Optional[_Union[Sentiment, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class Sentiment(_message.Message):
    __slots__ = ("label", "score", "confidence", "probabilities", "tier", "model", "model_version", "cache", "token_count", "analyzed_token_count", "sentences", "attributions", "mixed")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    TIER_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    MODEL_VERSION_FIELD_NUMBER: _ClassVar[int]
    CACHE_FIELD_NUMBER: _ClassVar[int]
    TOKEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    ANALYZED_TOKEN_COUNT_FIELD_NUMBER: _ClassVar[int]
    SENTENCES_FIELD_NUMBER: _ClassVar[int]
    ATTRIBUTIONS_FIELD_NUMBER: _ClassVar[int]
    MIXED_FIELD_NUMBER: _ClassVar[int]
    label: Label
    score: float
    confidence: float
    probabilities: Probabilities
    tier: Tier
    model: str
    model_version: str
    cache: CacheTier
    token_count: int
    analyzed_token_count: int
    sentences: _containers.RepeatedCompositeFieldContainer[SentenceSentiment]
    attributions: _containers.RepeatedCompositeFieldContainer[TokenAttribution]
    mixed: bool
    def __init__(self, label: _Optional[_Union[Label, str]] = ..., score: _Optional[float] = ..., confidence: _Optional[float] = ..., probabilities: _Optional[_Union[Probabilities, _Mapping]] = ..., tier: _Optional[_Union[Tier, str]] = ..., model: _Optional[str] = ..., model_version: _Optional[str] = ..., cache: _Optional[_Union[CacheTier, str]] = ..., token_count: _Optional[int] = ..., analyzed_token_count: _Optional[int] = ..., sentences: _Optional[_Iterable[_Union[SentenceSentiment, _Mapping]]] = ..., attributions: _Optional[_Iterable[_Union[TokenAttribution, _Mapping]]] = ..., mixed: bool = ...) -> None: ...

class Probabilities(_message.Message):
    __slots__ = ("negative", "neutral", "positive")
    NEGATIVE_FIELD_NUMBER: _ClassVar[int]
    NEUTRAL_FIELD_NUMBER: _ClassVar[int]
    POSITIVE_FIELD_NUMBER: _ClassVar[int]
    negative: float
    neutral: float
    positive: float
    def __init__(self, negative: _Optional[float] = ..., neutral: _Optional[float] = ..., positive: _Optional[float] = ...) -> None: ...

class SentenceSentiment(_message.Message):
    __slots__ = ("begin", "end", "label", "score", "confidence")
    BEGIN_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    begin: int
    end: int
    label: Label
    score: float
    confidence: float
    def __init__(self, begin: _Optional[int] = ..., end: _Optional[int] = ..., label: _Optional[_Union[Label, str]] = ..., score: _Optional[float] = ..., confidence: _Optional[float] = ...) -> None: ...

class TokenAttribution(_message.Message):
    __slots__ = ("begin", "end", "token", "weight")
    BEGIN_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    begin: int
    end: int
    token: str
    weight: float
    def __init__(self, begin: _Optional[int] = ..., end: _Optional[int] = ..., token: _Optional[str] = ..., weight: _Optional[float] = ...) -> None: ...

class Timing(_message.Message):
    __slots__ = ("tokenize", "queue", "inference", "total", "batch_size", "padding_ratio")
    TOKENIZE_FIELD_NUMBER: _ClassVar[int]
    QUEUE_FIELD_NUMBER: _ClassVar[int]
    INFERENCE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    BATCH_SIZE_FIELD_NUMBER: _ClassVar[int]
    PADDING_RATIO_FIELD_NUMBER: _ClassVar[int]
    tokenize: _duration_pb2.Duration
    queue: _duration_pb2.Duration
    inference: _duration_pb2.Duration
    total: _duration_pb2.Duration
    batch_size: int
    padding_ratio: float
    def __init__(self, tokenize: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., queue: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., inference: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., total: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ..., batch_size: _Optional[int] = ..., padding_ratio: _Optional[float] = ...) -> None: ...

class ListModelsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ("models",)
    MODELS_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[Model]
    def __init__(self, models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ...) -> None: ...

class Model(_message.Message):
    __slots__ = ("tier", "name", "version", "max_tokens", "labels", "ready", "default_tier")
    TIER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    MAX_TOKENS_FIELD_NUMBER: _ClassVar[int]
    LABELS_FIELD_NUMBER: _ClassVar[int]
    READY_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_TIER_FIELD_NUMBER: _ClassVar[int]
    tier: Tier
    name: str
    version: str
    max_tokens: int
    labels: _containers.RepeatedScalarFieldContainer[Label]
    ready: bool
    default_tier: bool
    def __init__(self, tier: _Optional[_Union[Tier, str]] = ..., name: _Optional[str] = ..., version: _Optional[str] = ..., max_tokens: _Optional[int] = ..., labels: _Optional[_Iterable[_Union[Label, str]]] = ..., ready: bool = ..., default_tier: bool = ...) -> None: ...

class WarmCacheRequest(_message.Message):
    __slots__ = ("texts", "tier")
    TEXTS_FIELD_NUMBER: _ClassVar[int]
    TIER_FIELD_NUMBER: _ClassVar[int]
    texts: _containers.RepeatedScalarFieldContainer[str]
    tier: Tier
    def __init__(self, texts: _Optional[_Iterable[str]] = ..., tier: _Optional[_Union[Tier, str]] = ...) -> None: ...

class WarmCacheResponse(_message.Message):
    __slots__ = ("warmed", "present", "failed")
    WARMED_FIELD_NUMBER: _ClassVar[int]
    PRESENT_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    warmed: int
    present: int
    failed: int
    def __init__(self, warmed: _Optional[int] = ..., present: _Optional[int] = ..., failed: _Optional[int] = ...) -> None: ...

class ClearCacheRequest(_message.Message):
    __slots__ = ("cache", "model")
    CACHE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    cache: CacheTier
    model: str
    def __init__(self, cache: _Optional[_Union[CacheTier, str]] = ..., model: _Optional[str] = ...) -> None: ...

class ClearCacheResponse(_message.Message):
    __slots__ = ("cleared",)
    CLEARED_FIELD_NUMBER: _ClassVar[int]
    cleared: int
    def __init__(self, cleared: _Optional[int] = ...) -> None: ...

class LoadModelRequest(_message.Message):
    __slots__ = ("tier",)
    TIER_FIELD_NUMBER: _ClassVar[int]
    tier: Tier
    def __init__(self, tier: _Optional[_Union[Tier, str]] = ...) -> None: ...

class LoadModelResponse(_message.Message):
    __slots__ = ("model",)
    MODEL_FIELD_NUMBER: _ClassVar[int]
    model: Model
    def __init__(self, model: _Optional[_Union[Model, _Mapping]] = ...) -> None: ...

class UnloadModelRequest(_message.Message):
    __slots__ = ("tier",)
    TIER_FIELD_NUMBER: _ClassVar[int]
    tier: Tier
    def __init__(self, tier: _Optional[_Union[Tier, str]] = ...) -> None: ...

class UnloadModelResponse(_message.Message):
    __slots__ = ("model",)
    MODEL_FIELD_NUMBER: _ClassVar[int]
    model: Model
    def __init__(self, model: _Optional[_Union[Model, _Mapping]] = ...) -> None: ...

class CaptureProfileRequest(_message.Message):
    __slots__ = ("kind", "duration")
    KIND_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    kind: ProfileKind
    duration: _duration_pb2.Duration
    def __init__(self, kind: _Optional[_Union[ProfileKind, str]] = ..., duration: _Optional[_Union[_duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class CaptureProfileResponse(_message.Message):
    __slots__ = ("path", "size_bytes")
    PATH_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    path: str
    size_bytes: int
    def __init__(self, path: _Optional[str] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class GetStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetStatusResponse(_message.Message):
    __slots__ = ("version", "started", "models", "queued_texts", "queued_tokens", "cache_entries", "memory_bytes", "draining")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    MODELS_FIELD_NUMBER: _ClassVar[int]
    QUEUED_TEXTS_FIELD_NUMBER: _ClassVar[int]
    QUEUED_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHE_ENTRIES_FIELD_NUMBER: _ClassVar[int]
    MEMORY_BYTES_FIELD_NUMBER: _ClassVar[int]
    DRAINING_FIELD_NUMBER: _ClassVar[int]
    version: str
    started: _timestamp_pb2.Timestamp
    models: _containers.RepeatedCompositeFieldContainer[Model]
    queued_texts: int
    queued_tokens: int
    cache_entries: int
    memory_bytes: int
    draining: bool
    def __init__(self, version: _Optional[str] = ..., started: _Optional[_Union[_timestamp_pb2.Timestamp, _Mapping]] = ..., models: _Optional[_Iterable[_Union[Model, _Mapping]]] = ..., queued_texts: _Optional[int] = ..., queued_tokens: _Optional[int] = ..., cache_entries: _Optional[int] = ..., memory_bytes: _Optional[int] = ..., draining: bool = ...) -> None: ...
