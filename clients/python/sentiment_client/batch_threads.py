"""Any number of texts by AnalyzeBatch, several calls at once, by threads."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event, Lock

import grpc

from sentiment_client.batch import Batch, BatchLimits, Cutter
from sentiment_client.errors import SentimentError, closed_error, error_of_call
from sentiment_client.gen import sentiment_pb2 as api
from sentiment_client.patience import Patience, Tries
from sentiment_client.questions import Outcome, Question

StartBatch = Callable[[api.AnalyzeBatchRequest], "grpc.Future[api.AnalyzeBatchResponse]"]
#: Raises SentimentError where the client is closed.
CheckOpen = Callable[[], None]


class BatchThreads:
    """Texts are read by whoever takes the outcomes; each call that is under way has a thread."""

    def __init__(self, start: StartBatch, check_open: CheckOpen, question: Question, limits: BatchLimits) -> None:
        self._start = start
        self._check_open = check_open
        self._question = question
        self._limits = limits
        self._stopped = Event()
        self._lock = Lock()
        self._calls: set[grpc.Future[api.AnalyzeBatchResponse]] = set()
        self._source_error: Exception | None = None

    def outcomes(self, texts: Iterable[str]) -> Generator[Outcome, None, None]:
        batches = self._cut(texts)
        patience = Patience(self._limits.give_up_after)
        window: deque[Future[list[Outcome]]] = deque()
        pool = ThreadPoolExecutor(self._limits.concurrency, "sentiment-batch")

        def fill() -> None:
            while len(window) < self._limits.concurrency and (batch := next(batches, None)) is not None:
                window.append(pool.submit(self._ask, batch, Tries(patience)))

        try:
            fill()
            while window:
                outcomes = window.popleft().result()
                # Before they are handed out: whoever takes them may take long.
                fill()
                yield from outcomes
            if self._source_error is not None:
                raise self._source_error
        finally:
            self._stop()
            pool.shutdown()

    def _cut(self, texts: Iterable[str]) -> Generator[Batch, None, None]:
        """What was read before the texts' own fault is answered first."""
        cutter = Cutter(self._limits.batch_size)
        try:
            for text in texts:
                full = cutter.add(text)
                if full is not None:
                    yield Batch(full, self._question)
        except Exception as error:
            self._source_error = error
        rest = cutter.rest()
        if rest:
            yield Batch(rest, self._question)

    def _ask(self, batch: Batch, tries: Tries) -> list[Outcome]:
        while not batch.done:
            refusal = self._try(batch, tries)
            if refusal is not None and self._stopped.wait(tries.rest(refusal)):
                raise closed_error()
        return batch.outcomes

    def _try(self, batch: Batch, tries: Tries) -> SentimentError | None:
        try:
            response = self._call(batch.request())
        except SentimentError as error:
            return batch.fail_for_now(error, tries)
        return batch.take_for_now(response, tries)

    def _call(self, request: api.AnalyzeBatchRequest) -> api.AnalyzeBatchResponse:
        with self._lock:
            if self._stopped.is_set():
                raise closed_error()
            self._check_open()
            call = self._start(request)
            self._calls.add(call)
        try:
            return call.result()
        except grpc.RpcError as error:
            # Closing ends calls as if they had broken.
            self._check_open()
            raise error_of_call(error) from error
        except grpc.FutureCancelledError as error:
            raise closed_error() from error
        finally:
            with self._lock:
                self._calls.discard(call)

    def _stop(self) -> None:
        with self._lock:
            self._stopped.set()
            for call in self._calls:
                call.cancel()
