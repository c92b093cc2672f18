"""The client for threads."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from types import TracebackType
from typing import TypeVar

import grpc

from sentiment_client.batch import Batch, BatchLimits
from sentiment_client.batch_threads import BatchThreads
from sentiment_client.checks import check_texts
from sentiment_client.connection import DEFAULT_MAX_MESSAGE_BYTES, DEFAULT_TIMEOUT, Tls, connection_of
from sentiment_client.errors import closed_error, error_of_call
from sentiment_client.gen import sentiment_pb2 as api
from sentiment_client.gen.sentiment_pb2_grpc import SentimentServiceStub
from sentiment_client.questions import Outcome, TierName, fault_of, question_of
from sentiment_client.stream_state import StreamState, stream_state_of
from sentiment_client.stream_threads import StreamCall, StreamThreads

_Request = TypeVar("_Request")
_Response = TypeVar("_Response")


class SentimentClient:
    """Asks a Sentiment Analyzer Pro server. One serves all threads: it has one channel, which connects when it is first asked.

    address: as gRPC has them (`host:port`, `dns:///host:port`, `unix:path`); calls go to all addresses of a name in turn.
        None: the environment variable SENTIMENT_ADDRESS, else 127.0.0.1:50051.
    api_key: sent as `authorization: Bearer`; without `tls` it travels as it is.
    tls: None: plaintext.
    timeout: seconds that a call may take where it says nothing else; of `analyze_all` each call.
    max_message_bytes: of a request or an answer.
    trace_context: send the active OpenTelemetry context along, where OpenTelemetry is installed.

    Calls raise SentimentError. UNAVAILABLE was tried five times by gRPC then.
    """

    def __init__(
        self,
        address: str | None = None,
        *,
        api_key: str | None = None,
        tls: Tls | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        max_message_bytes: int = DEFAULT_MAX_MESSAGE_BYTES,
        trace_context: bool = True,
    ) -> None:
        self._to = to = connection_of(address, api_key, tls, timeout, max_message_bytes, trace_context)
        if to.credentials is None:
            self._channel = grpc.insecure_channel(to.target, to.channel_options)
        else:
            self._channel = grpc.secure_channel(to.target, to.credentials, to.channel_options)
        self._stub = SentimentServiceStub(self._channel)
        self._closed = False

    def analyze(
        self,
        text: str,
        *,
        tier: TierName | None = None,
        options: api.AnalyzeOptions | None = None,
        timeout: float | None = None,
    ) -> api.AnalyzeResponse:
        """The sentiment of one text, and where the time went. `tier` None: the server's default."""
        question = question_of(tier, options)
        fault = fault_of(text)
        if fault is not None:
            raise fault
        return self._call(self._stub.Analyze, question.one(text), timeout)

    def analyze_batch(
        self,
        texts: Sequence[str],
        *,
        tier: TierName | None = None,
        options: api.AnalyzeOptions | None = None,
        timeout: float | None = None,
    ) -> list[Outcome]:
        """One outcome a text, in their order, by one call: up to 100 texts, unless the server is set otherwise."""
        check_texts(texts)
        batch = Batch(texts, question_of(tier, options))
        # An empty one is sent as well: the server refuses it.
        if not batch.done or not texts:
            batch.take(self._call(self._stub.AnalyzeBatch, batch.request(), timeout))
        return batch.outcomes

    def analyze_all(
        self,
        texts: Iterable[str],
        *,
        tier: TierName | None = None,
        options: api.AnalyzeOptions | None = None,
        timeout: float | None = None,
        batch_size: int = 32,
        concurrency: int = 4,
        give_up_after: float = 60.0,
    ) -> Generator[Outcome, None, None]:
        """One outcome a text, in their order, of any number of texts, by `concurrency` calls of `batch_size` texts at once.

        Texts are read as outcomes are taken, a batch at a time: where they trickle in, `analyze_stream` answers sooner.
        What is refused for now is asked again, and a call that breaks on its way or takes over `timeout` is made again; when
        nothing was answered for `give_up_after` seconds, the last refusal is raised. A text that is too large for a message
        has that error, its neighbours have none. Whoever stops taking outcomes closes the generator (leaving a `for` loop
        does): then what is under way is cancelled.
        """
        check_texts(texts)
        limits = BatchLimits(batch_size, concurrency, give_up_after)
        metadata, seconds = self._to.metadata(), self._to.timeout(timeout)

        def start(request: api.AnalyzeBatchRequest) -> grpc.Future[api.AnalyzeBatchResponse]:
            return self._stub.AnalyzeBatch.future(request, timeout=seconds, metadata=metadata)

        return BatchThreads(start, self._check_open, question_of(tier, options), limits).outcomes(texts)

    def analyze_stream(
        self,
        texts: Iterable[str],
        *,
        tier: TierName | None = None,
        options: api.AnalyzeOptions | None = None,
        max_under_way: int = 256,
        give_up_after: float = 60.0,
    ) -> Generator[Outcome, None, None]:
        """One outcome a text, in their order, of texts without end, by one stream; each as soon as its turn has come.

        Texts are read by a thread of their own, up to `max_under_way` ahead of what was taken. A stream that breaks is
        opened anew, and asked what was not answered. `give_up_after`, and stopping early: as in `analyze_all`.
        """
        state = stream_state_of(question_of(tier, options), max_under_way, give_up_after, ordered=True)
        return _in_order(self._stream(texts, state, max_under_way))

    def analyze_unordered(
        self,
        texts: Iterable[str],
        *,
        tier: TierName | None = None,
        options: api.AnalyzeOptions | None = None,
        max_under_way: int = 256,
        give_up_after: float = 60.0,
    ) -> Generator[tuple[int, Outcome], None, None]:
        """As `analyze_stream`, but each outcome as soon as it is there, with the place of its text, from 0."""
        state = stream_state_of(question_of(tier, options), max_under_way, give_up_after, ordered=False)
        return self._stream(texts, state, max_under_way)

    def models(self, *, timeout: float | None = None) -> list[api.Model]:
        """The models that are served, fast first."""
        return list(self._call(self._stub.ListModels, api.ListModelsRequest(), timeout).models)

    def close(self) -> None:
        """What is under way ends with SentimentError, code CANCELLED. May be called again."""
        self._closed = True
        self._channel.close()

    def __enter__(self) -> SentimentClient:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _call(
        self, method: grpc.UnaryUnaryMultiCallable[_Request, _Response], request: _Request, timeout: float | None
    ) -> _Response:
        self._check_open()
        try:
            return method(request, timeout=self._to.timeout(timeout), metadata=self._to.metadata())
        except grpc.RpcError as error:
            raise error_of_call(error) from error

    def _stream(
        self, texts: Iterable[str], state: StreamState, max_under_way: int
    ) -> Generator[tuple[int, Outcome], None, None]:
        check_texts(texts)
        metadata = self._to.metadata()

        def open_stream(requests: Iterator[api.AnalyzeStreamRequest]) -> StreamCall:
            self._check_open()
            return self._stub.AnalyzeStream(requests, metadata=metadata)

        return StreamThreads(open_stream, state, max_under_way).outcomes(texts)

    def _check_open(self) -> None:
        if self._closed:
            raise closed_error()


def _in_order(outcomes: Generator[tuple[int, Outcome], None, None]) -> Generator[Outcome, None, None]:
    with closing(outcomes):
        for _, outcome in outcomes:
            yield outcome
