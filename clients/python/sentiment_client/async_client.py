"""The client for asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

import grpc
import grpc.aio

from sentiment_client.batch import Batch, BatchLimits
from sentiment_client.batch_asyncio import BatchTasks
from sentiment_client.checks import check_texts
from sentiment_client.connection import DEFAULT_MAX_MESSAGE_BYTES, DEFAULT_TIMEOUT, Metadata, Tls, connection_of
from sentiment_client.errors import closed_error, error_of_call
from sentiment_client.gen import sentiment_pb2 as api
from sentiment_client.gen.sentiment_pb2_grpc import SentimentServiceStub
from sentiment_client.questions import Outcome, TierName, fault_of, question_of
from sentiment_client.stream_asyncio import StreamTasks
from sentiment_client.stream_state import StreamState, stream_state_of

if TYPE_CHECKING:
    from sentiment_client.gen.sentiment_pb2_grpc import SentimentServiceAsyncStub

_Request = TypeVar("_Request")
_Response = TypeVar("_Response")


class AsyncSentimentClient:
    """As `SentimentClient`, for one event loop: the one that runs when it is first asked."""

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
        self._to = connection_of(address, api_key, tls, timeout, max_message_bytes, trace_context)
        self._channel: grpc.aio.Channel | None = None
        self._closed = False

    async def analyze(
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
        return await self._call(self._stub().Analyze, question.one(text), timeout, self._to.metadata())

    async def analyze_batch(
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
            batch.take(await self._call(self._stub().AnalyzeBatch, batch.request(), timeout, self._to.metadata()))
        return batch.outcomes

    def analyze_all(
        self,
        texts: AsyncIterable[str] | Iterable[str],
        *,
        tier: TierName | None = None,
        options: api.AnalyzeOptions | None = None,
        timeout: float | None = None,
        batch_size: int = 32,
        concurrency: int = 4,
        give_up_after: float = 60.0,
    ) -> AsyncGenerator[Outcome, None]:
        """As `SentimentClient.analyze_all`; texts may also come asynchronously.

        A plain iterable is read in the event loop: it should not block. Whoever leaves an `async for` early and wants what
        is under way cancelled at once closes the generator: `async with contextlib.aclosing(...)`.
        """
        check_texts(texts)
        limits = BatchLimits(batch_size, concurrency, give_up_after)
        metadata = self._to.metadata()

        async def call(request: api.AnalyzeBatchRequest) -> api.AnalyzeBatchResponse:
            return await self._call(self._stub().AnalyzeBatch, request, timeout, metadata)

        return BatchTasks(call, question_of(tier, options), limits).outcomes(texts)

    def analyze_stream(
        self,
        texts: AsyncIterable[str] | Iterable[str],
        *,
        tier: TierName | None = None,
        options: api.AnalyzeOptions | None = None,
        max_under_way: int = 256,
        give_up_after: float = 60.0,
    ) -> AsyncGenerator[Outcome, None]:
        """As `SentimentClient.analyze_stream`; what texts may be, and stopping early: as in `analyze_all`."""
        state = stream_state_of(question_of(tier, options), max_under_way, give_up_after, ordered=True)
        return _in_order(self._stream(texts, state, max_under_way))

    def analyze_unordered(
        self,
        texts: AsyncIterable[str] | Iterable[str],
        *,
        tier: TierName | None = None,
        options: api.AnalyzeOptions | None = None,
        max_under_way: int = 256,
        give_up_after: float = 60.0,
    ) -> AsyncGenerator[tuple[int, Outcome], None]:
        """As `analyze_stream`, but each outcome as soon as it is there, with the place of its text, from 0."""
        state = stream_state_of(question_of(tier, options), max_under_way, give_up_after, ordered=False)
        return self._stream(texts, state, max_under_way)

    async def models(self, *, timeout: float | None = None) -> list[api.Model]:
        """The models that are served, fast first."""
        response = await self._call(self._stub().ListModels, api.ListModelsRequest(), timeout, self._to.metadata())
        return list(response.models)

    async def close(self) -> None:
        """What is under way ends with SentimentError, code CANCELLED. May be called again."""
        self._closed = True
        if self._channel is not None:
            await self._channel.close()

    async def __aenter__(self) -> AsyncSentimentClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _stub(self) -> SentimentServiceAsyncStub:
        if self._closed:
            raise closed_error()
        if self._channel is None:
            to = self._to
            if to.credentials is None:
                self._channel = grpc.aio.insecure_channel(to.target, to.channel_options)
            else:
                self._channel = grpc.aio.secure_channel(to.target, to.credentials, to.channel_options)
        return SentimentServiceStub(self._channel)

    async def _call(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[_Request, _Response],
        request: _Request,
        timeout: float | None,
        metadata: Metadata,
    ) -> _Response:
        try:
            return await method(request, timeout=self._to.timeout(timeout), metadata=metadata)
        except grpc.RpcError as error:
            raise error_of_call(error) from error
        except asyncio.CancelledError:
            # Calls of a channel that is closed end so, as if whoever waits for them had been cancelled.
            if self._closed and not _is_cancelled():
                raise closed_error() from None
            raise

    def _stream(
        self, texts: AsyncIterable[str] | Iterable[str], state: StreamState, max_under_way: int
    ) -> AsyncGenerator[tuple[int, Outcome], None]:
        check_texts(texts)
        metadata = self._to.metadata()

        def open_stream(
            requests: AsyncIterator[api.AnalyzeStreamRequest],
        ) -> grpc.aio.StreamStreamCall[api.AnalyzeStreamRequest, api.AnalyzeStreamResponse]:
            return self._stub().AnalyzeStream(requests, metadata=metadata)

        return StreamTasks(open_stream, state, max_under_way).outcomes(texts)


def _is_cancelled() -> bool:
    """Before Python 3.11 nobody can tell."""
    cancelling = getattr(asyncio.current_task(), "cancelling", None)
    return cancelling is not None and cancelling() > 0


async def _in_order(outcomes: AsyncGenerator[tuple[int, Outcome], None]) -> AsyncGenerator[Outcome, None]:
    try:
        async for _, outcome in outcomes:
            yield outcome
    finally:
        await outcomes.aclose()
