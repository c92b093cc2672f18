"""Any number of texts by AnalyzeStream, by asyncio."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Coroutine, Iterable
from functools import partial
from typing import TypeVar, cast

import grpc
import grpc.aio

from sentiment_client.errors import SentimentError, closed_error, error_of_call, error_of_end
from sentiment_client.gen import sentiment_pb2 as api
from sentiment_client.questions import Outcome
from sentiment_client.sources import each
from sentiment_client.stream_state import ENDED_EARLY, StreamState

# For the server to end a stream that it has answered in full.
END_SECONDS = 1.0

_Value = TypeVar("_Value")
_Call = grpc.aio.StreamStreamCall[api.AnalyzeStreamRequest, api.AnalyzeStreamResponse]
#: Raises SentimentError where the client is closed.
OpenStream = Callable[[AsyncIterator[api.AnalyzeStreamRequest]], _Call]


class Stream:
    """One AnalyzeStream: a task of gRPC's writes it, one of ours reads it."""

    def __init__(
        self,
        open_stream: OpenStream,
        took: Callable[[Stream, api.AnalyzeStreamResponse], None],
        broke: Callable[[Stream, SentimentError], None],
    ) -> None:
        self._requests: asyncio.Queue[api.AnalyzeStreamRequest | None] = asyncio.Queue()
        self._took, self._broke = took, broke
        self._ended_with: SentimentError | None = None
        self._call = open_stream(self._sent())
        self._call.add_done_callback(self._note_end)
        self._reader = asyncio.create_task(self._read())

    def send(self, request: api.AnalyzeStreamRequest) -> None:
        self._requests.put_nowait(request)

    async def end(self) -> None:
        """When all is answered."""
        self._requests.put_nowait(None)
        await asyncio.wait([self._reader], timeout=END_SECONDS)

    async def cancel(self) -> None:
        # Also ends gRPC's task that waits for the next request.
        self._requests.put_nowait(None)
        self._call.cancel()
        await asyncio.wait([self._reader])

    async def _sent(self) -> AsyncGenerator[api.AnalyzeStreamRequest, None]:
        while (request := await self._requests.get()) is not None:
            yield request

    async def _read(self) -> None:
        try:
            async for response in self._call:
                self._took(self, response)
            self._broke(self, ENDED_EARLY)
        except grpc.RpcError as error:
            self._broke(self, self._ended_with or error_of_call(error))
        except asyncio.CancelledError:
            # By us, who do not care any more, or because the client was closed.
            self._broke(self, closed_error())

    def _note_end(self, call: _Call) -> None:
        """The status that came first: a write that fails after it puts INTERNAL in its place (grpc/grpc#36066)."""
        if self._ended_with is not None:
            return
        code = _at_once(call.code())
        if code is grpc.StatusCode.OK:
            self._ended_with = ENDED_EARLY
        elif code is not None:
            self._ended_with = error_of_end(code, _at_once(call.details()), _at_once(call.trailing_metadata()))


def _at_once(known: Coroutine[object, None, _Value]) -> _Value | None:
    """What a coroutine gives that has nothing to wait for; None: it has."""
    try:
        known.send(None)
    except StopIteration as end:
        return cast(_Value, end.value)
    known.close()
    return None


class StreamTasks:
    """Texts are read by a task of their own, so that answers come while the next text is waited for."""

    def __init__(self, open_stream: OpenStream, state: StreamState, max_under_way: int) -> None:
        self._open_stream = open_stream
        self._state = state
        self._max_under_way = max_under_way
        # What the other tasks have to tell, in the order in which it happened.
        self._events: deque[Callable[[], None]] = deque()
        self._stream: Stream | None = None
        self._lost: list[Stream] = []

    async def outcomes(self, texts: AsyncIterable[str] | Iterable[str]) -> AsyncGenerator[tuple[int, Outcome], None]:
        # Made here, since they belong to the loop that runs.
        self._happened = asyncio.Event()
        self._room = asyncio.Semaphore(self._max_under_way)
        reader = asyncio.create_task(self._read_texts(texts))
        state = self._state
        try:
            while True:
                await self._apply()
                self._send()
                ready = state.pop_ready()
                if ready is not None:
                    yield ready
                    self._room.release()
                    state.resumed()
                elif state.finished:
                    break
                else:
                    await self._wait(state.wakes_in())
            if self._stream is not None:
                await self._stream.end()
        finally:
            reader.cancel()
            await asyncio.wait([reader])
            if self._stream is not None:
                self._lost.append(self._stream)
            await self._cancel_lost()

    def _post(self, event: Callable[[], None]) -> None:
        self._events.append(event)
        self._happened.set()

    async def _wait(self, seconds: float | None) -> None:
        """For the next event."""
        timer = None if seconds is None else asyncio.get_running_loop().call_later(seconds, self._happened.set)
        try:
            await self._happened.wait()
        finally:
            if timer is not None:
                timer.cancel()

    async def _apply(self) -> None:
        """All that has happened."""
        self._happened.clear()
        while self._events:
            self._events.popleft()()
        await self._cancel_lost()

    async def _cancel_lost(self) -> None:
        while self._lost:
            await self._lost.pop().cancel()

    def _send(self) -> None:
        requests = self._state.requests()
        if requests and self._stream is None:
            self._stream = Stream(self._open_stream, self._took, self._broke)
        for request in requests:
            assert self._stream is not None
            self._stream.send(request)

    def _took(self, stream: Stream, response: api.AnalyzeStreamResponse) -> None:
        self._post(lambda: self._state.take(response) if stream is self._stream else None)

    def _broke(self, stream: Stream, error: SentimentError) -> None:
        self._post(partial(self._lose, stream, error))

    def _lose(self, stream: Stream, error: SentimentError) -> None:
        if stream is self._stream:
            self._stream = None
            self._lost.append(stream)
            self._state.broke(error)

    async def _read_texts(self, texts: AsyncIterable[str] | Iterable[str]) -> None:
        source = each(texts)
        error = None
        try:
            while True:
                await self._room.acquire()
                try:
                    text = await source.__anext__()
                except StopAsyncIteration:
                    break
                self._post(partial(self._state.add, text))
        except Exception as fault:
            error = fault
        finally:
            await source.aclose()
        self._post(partial(self._state.end, error))
