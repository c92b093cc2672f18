"""Both clients behind the methods of the one for threads, so that a test is written once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Generator, Iterable, Sequence
from functools import lru_cache
from threading import Thread
from types import TracebackType
from typing import Any, TypeVar, cast

from sentiment_client import AnalyzeResponse, AsyncSentimentClient, Model, Outcome, SentimentClient

_Value = TypeVar("_Value")


async def _asynchronously(texts: Iterable[str]) -> AsyncIterator[str]:
    """In a thread, since a test's texts may wait for what the loop does."""
    source = iter(texts)
    while (text := await asyncio.get_running_loop().run_in_executor(None, next, source, None)) is not None:
        yield text


async def _next_of(values: AsyncGenerator[_Value, None]) -> tuple[_Value] | None:
    try:
        return (await values.__anext__(),)
    except StopAsyncIteration:
        return None


@lru_cache
def _loop() -> asyncio.AbstractEventLoop:
    """One for all tests: gRPC complains of loops that are closed."""
    loop = asyncio.new_event_loop()
    Thread(target=loop.run_forever, daemon=True).start()
    return loop


class BlockingClient:
    """AsyncSentimentClient in an event loop that runs beside the test."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self._client = AsyncSentimentClient(*arguments, **named)
        self._loop = _loop()

    def analyze(self, text: str, **named: Any) -> AnalyzeResponse:
        return self._run(self._client.analyze(text, **named))

    def analyze_batch(self, texts: Sequence[str], **named: Any) -> list[Outcome]:
        return self._run(self._client.analyze_batch(texts, **named))

    def analyze_all(self, texts: Iterable[str], **named: Any) -> Generator[Outcome, None, None]:
        return self._each(self._client.analyze_all(_asynchronously(texts), **named))

    def analyze_stream(self, texts: Iterable[str], **named: Any) -> Generator[Outcome, None, None]:
        return self._each(self._client.analyze_stream(_asynchronously(texts), **named))

    def analyze_unordered(self, texts: Iterable[str], **named: Any) -> Generator[tuple[int, Outcome], None, None]:
        return self._each(self._client.analyze_unordered(_asynchronously(texts), **named))

    def models(self, **named: Any) -> list[Model]:
        return self._run(self._client.models(**named))

    def close(self) -> None:
        self._run(self._client.close())

    def __enter__(self) -> BlockingClient:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _run(self, coroutine: Coroutine[Any, Any, _Value]) -> _Value:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def _each(self, values: AsyncGenerator[_Value, None]) -> Generator[_Value, None, None]:
        try:
            while (value := self._run(_next_of(values))) is not None:
                yield value[0]
        finally:
            self._run(values.aclose())


#: By name, for subTest. Type checkers are told that both are the one for threads: they are called alike.
CLIENTS: dict[str, type[SentimentClient]] = {
    "threads": SentimentClient,
    "asyncio": cast("type[SentimentClient]", BlockingClient),
}
