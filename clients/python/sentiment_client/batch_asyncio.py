"""Any number of texts by AnalyzeBatch, several calls at once, by asyncio."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable

from sentiment_client.batch import Batch, BatchLimits, Cutter
from sentiment_client.errors import SentimentError
from sentiment_client.gen import sentiment_pb2 as api
from sentiment_client.patience import Patience, Tries
from sentiment_client.questions import Outcome, Question
from sentiment_client.sources import each

#: Raises SentimentError.
CallBatch = Callable[[api.AnalyzeBatchRequest], Awaitable[api.AnalyzeBatchResponse]]


class BatchTasks:
    """Texts are read by whoever takes the outcomes; each call that is under way has a task."""

    def __init__(self, call: CallBatch, question: Question, limits: BatchLimits) -> None:
        self._call = call
        self._question = question
        self._limits = limits
        self._source_error: Exception | None = None

    async def outcomes(self, texts: AsyncIterable[str] | Iterable[str]) -> AsyncGenerator[Outcome, None]:
        batches = self._cut(texts)
        patience = Patience(self._limits.give_up_after)
        window: deque[asyncio.Task[list[Outcome]]] = deque()

        async def fill() -> None:
            while len(window) < self._limits.concurrency:
                try:
                    batch = await batches.__anext__()
                except StopAsyncIteration:
                    return
                window.append(asyncio.create_task(self._ask(batch, Tries(patience))))

        try:
            await fill()
            while window:
                outcomes = await window[0]
                window.popleft()
                # Before they are handed out: whoever takes them may take long.
                await fill()
                for outcome in outcomes:
                    yield outcome
            if self._source_error is not None:
                raise self._source_error
        finally:
            for task in window:
                task.cancel()
            await asyncio.gather(*window, return_exceptions=True)
            await batches.aclose()

    async def _cut(self, texts: AsyncIterable[str] | Iterable[str]) -> AsyncGenerator[Batch, None]:
        """What was read before the texts' own fault is answered first."""
        cutter = Cutter(self._limits.batch_size)
        try:
            async for text in each(texts):
                full = cutter.add(text)
                if full is not None:
                    yield Batch(full, self._question)
        except Exception as error:
            self._source_error = error
        rest = cutter.rest()
        if rest:
            yield Batch(rest, self._question)

    async def _ask(self, batch: Batch, tries: Tries) -> list[Outcome]:
        while not batch.done:
            refusal = await self._try(batch, tries)
            if refusal is not None:
                await asyncio.sleep(tries.rest(refusal))
        return batch.outcomes

    async def _try(self, batch: Batch, tries: Tries) -> SentimentError | None:
        try:
            response = await self._call(batch.request())
        except SentimentError as error:
            return batch.fail_for_now(error, tries)
        return batch.take_for_now(response, tries)
