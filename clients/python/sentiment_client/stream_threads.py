"""Any number of texts by AnalyzeStream, by threads."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from functools import partial
from queue import Empty, SimpleQueue
from threading import Semaphore, Thread
from typing import Protocol

import grpc

from sentiment_client.errors import SentimentError, error_of_call
from sentiment_client.gen import sentiment_pb2 as api
from sentiment_client.questions import Outcome
from sentiment_client.stream_state import ENDED_EARLY, StreamState

# For the server to end a stream that it has answered in full.
END_SECONDS = 1.0


class StreamCall(Protocol):
    """What is used of gRPC's."""

    def __iter__(self) -> Iterator[api.AnalyzeStreamResponse]: ...

    def cancel(self) -> bool: ...


#: Raises SentimentError where the client is closed.
OpenStream = Callable[[Iterator[api.AnalyzeStreamRequest]], StreamCall]


class Stream:
    """One AnalyzeStream: a thread of gRPC's writes it, one of ours reads it."""

    def __init__(
        self,
        open_stream: OpenStream,
        took: Callable[[Stream, api.AnalyzeStreamResponse], None],
        broke: Callable[[Stream, SentimentError], None],
    ) -> None:
        self._requests: SimpleQueue[api.AnalyzeStreamRequest | None] = SimpleQueue()
        self._took, self._broke = took, broke
        self._call = open_stream(iter(self._requests.get, None))
        self._reader = Thread(target=self._read, name="sentiment-stream", daemon=True)
        self._reader.start()

    def send(self, request: api.AnalyzeStreamRequest) -> None:
        self._requests.put(request)

    def end(self) -> None:
        """When all is answered."""
        self._requests.put(None)
        self._reader.join(END_SECONDS)

    def cancel(self) -> None:
        # Also wakes gRPC's thread that waits for the next request.
        self._requests.put(None)
        self._call.cancel()

    def _read(self) -> None:
        try:
            for response in self._call:
                self._took(self, response)
            self._broke(self, ENDED_EARLY)
        except grpc.RpcError as error:
            self._broke(self, error_of_call(error))


class StreamThreads:
    """Texts are read by a thread of their own, so that answers come while the next text is waited for."""

    def __init__(self, open_stream: OpenStream, state: StreamState, max_under_way: int) -> None:
        self._open_stream = open_stream
        self._state = state
        self._room = Semaphore(max_under_way)
        # What the other threads have to tell: the state belongs to whoever takes the outcomes.
        self._events: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._stream: Stream | None = None
        self._stopped = False

    def outcomes(self, texts: Iterable[str]) -> Generator[tuple[int, Outcome], None, None]:
        Thread(target=self._read_texts, args=(texts,), name="sentiment-texts", daemon=True).start()
        state = self._state
        try:
            while True:
                self._happen(0.0)
                self._send()
                ready = state.pop_ready()
                if ready is not None:
                    yield ready
                    self._room.release()
                    state.resumed()
                elif state.finished:
                    break
                else:
                    self._happen(state.wakes_in())
            if self._stream is not None:
                self._stream.end()
        finally:
            self._stop()

    def _happen(self, seconds: float | None) -> None:
        """All that has happened, or will within that time at first."""
        try:
            self._events.get(timeout=seconds)()
            while True:
                self._events.get_nowait()()
        except Empty:
            return

    def _send(self) -> None:
        requests = self._state.requests()
        if requests and self._stream is None:
            self._stream = Stream(self._open_stream, self._took, self._broke)
        for request in requests:
            assert self._stream is not None
            self._stream.send(request)

    def _took(self, stream: Stream, response: api.AnalyzeStreamResponse) -> None:
        self._events.put(lambda: self._state.take(response) if stream is self._stream else None)

    def _broke(self, stream: Stream, error: SentimentError) -> None:
        self._events.put(partial(self._lose, stream, error))

    def _lose(self, stream: Stream, error: SentimentError) -> None:
        if stream is self._stream:
            self._stream = None
            stream.cancel()
            self._state.broke(error)

    def _read_texts(self, texts: Iterable[str]) -> None:
        error = None
        try:
            source = iter(texts)
            while self._has_room():
                try:
                    text = next(source)
                except StopIteration:
                    break
                self._events.put(partial(self._state.add, text))
        except Exception as fault:
            error = fault
        self._events.put(partial(self._state.end, error))

    def _has_room(self) -> bool:
        self._room.acquire()
        return not self._stopped

    def _stop(self) -> None:
        self._stopped = True
        self._room.release()
        if self._stream is not None:
            self._stream.cancel()
