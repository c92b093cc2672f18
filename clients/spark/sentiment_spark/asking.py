"""Texts in, outcomes out: over one stream, or several one after the other where streams break."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence

import grpc

from sentiment_spark.errors import SentimentError, ServerUnavailable
from sentiment_spark.faults import Fault, fault_of_error, fault_of_status
from sentiment_spark.gen import sentiment_pb2 as api
from sentiment_spark.pace import Pace
from sentiment_spark.settings import Settings
from sentiment_spark.stream import Ended, Event, OpenStream, Stream

Outcome = api.Sentiment | Fault

ENDED_EARLY = Fault("UNAVAILABLE", "the server ended the stream before it had answered all", True)


def analyze(texts: Sequence[str], open_stream: OpenStream, settings: Settings, pace: Pace) -> list[Outcome]:
    """One outcome a text, in their order. Raises SentimentError when the server cannot be asked at all."""
    asking = Asking(texts, settings, pace)
    while not asking.done:
        asking.rest()
        with open_stream() as stream:
            asking.use(stream)
    return asking.outcomes


class Asking:
    """Which texts are answered, under way and still to be asked. One thread uses it."""

    def __init__(
        self, texts: Sequence[str], settings: Settings, pace: Pace, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._texts = texts
        self._pace = pace
        self._clock = clock
        self._target = settings.target
        self._limits = settings.limits
        self._tier = api.Tier.Value(f"TIER_{'UNSPECIFIED' if settings.tier == 'default' else settings.tier.upper()}")
        self._options = api.AnalyzeOptions(long_text=api.LongText.Value(f"LONG_TEXT_{settings.long_text.upper()}"))
        self._outcomes: list[Outcome | None] = [None] * len(texts)
        self._waiting = deque(range(len(texts)))
        self._under_way: set[int] = set()
        self._progress_at = clock()
        self._heard_at = clock()
        self._last_fault: Fault | None = None

    @property
    def done(self) -> bool:
        return not self._waiting and not self._under_way

    @property
    def outcomes(self) -> list[Outcome]:
        return [outcome for outcome in self._outcomes if outcome is not None]

    def rest(self) -> None:
        """Before a stream is opened: as long as the server wants to be left alone."""
        seconds = min(self._pace.resumes_at, self._gives_up_at) - self._clock()
        if seconds > 0:
            time.sleep(seconds)
        self._check_patience()

    def use(self, stream: Stream) -> None:
        """Until all is answered, or the stream is of no more use; then what was under way on it waits again."""
        self._heard_at = self._clock()
        while not self.done:
            self._send(stream)
            fault = self._fault_in(stream.take(self._wakes_at() - self._clock()))
            if fault is not None:
                return self._broken(fault)
            self._check_patience()
        return None

    @property
    def _gives_up_at(self) -> float:
        return self._progress_at + self._limits.patience_seconds

    @property
    def _quiet_at(self) -> float:
        return self._heard_at + self._limits.inactivity_seconds

    def _send(self, stream: Stream) -> None:
        now = self._clock()
        if now < self._pace.resumes_at:
            return
        if not self._under_way:
            # Whoever was asked nothing owed no answer.
            self._heard_at = now
        while self._waiting and len(self._under_way) < self._pace.window:
            row = self._waiting.popleft()
            self._under_way.add(row)
            stream.send(
                api.AnalyzeStreamRequest(id=str(row), text=self._texts[row], tier=self._tier, options=self._options)
            )

    def _wakes_at(self) -> float:
        wakes_at = self._gives_up_at
        if self._under_way:
            wakes_at = min(wakes_at, self._quiet_at)
        if self._waiting and self._clock() < self._pace.resumes_at:
            wakes_at = min(wakes_at, self._pace.resumes_at)
        return wakes_at

    def _fault_in(self, event: Event | None) -> Fault | None:
        """Takes an answer in; a fault where the stream has one."""
        if isinstance(event, api.AnalyzeStreamResponse):
            self._heard_at = self._clock()
            self._answered(event)
            return None
        if isinstance(event, Ended):
            return ENDED_EARLY
        if isinstance(event, grpc.RpcError):
            return fault_of_error(event)
        if self._under_way and self._clock() >= self._quiet_at:
            return Fault("UNAVAILABLE", f"no answer for {self._limits.inactivity_seconds:g} s", True)
        return None

    def _answered(self, response: api.AnalyzeStreamResponse) -> None:
        row = int(response.id) if response.id.isdecimal() else -1
        if row not in self._under_way:
            return
        self._under_way.remove(row)
        if response.WhichOneof("outcome") == "sentiment":
            return self._settle(row, response.sentiment)
        fault = fault_of_status(response.error)
        if not fault.retried:
            return self._settle(row, fault)
        self._waiting.appendleft(row)
        self._last_fault = fault
        return self._pace.refused(self._clock(), fault.wait_seconds)

    def _settle(self, row: int, outcome: Outcome) -> None:
        self._outcomes[row] = outcome
        self._progress_at = self._clock()
        # It is not why nothing comes after this answer.
        self._last_fault = None
        self._pace.answered()

    def _broken(self, fault: Fault) -> None:
        if fault.is_too_large and self._under_way:
            self._refuse_largest(fault)
        elif fault.retried:
            self._last_fault = fault
            self._pace.refused(self._clock(), fault.wait_seconds)
        else:
            raise SentimentError(fault.reason, f"{self._target} refused: {fault.message}")
        self._waiting.extendleft(sorted(self._under_way, reverse=True))
        self._under_way.clear()

    def _refuse_largest(self, fault: Fault) -> None:
        """A message has one text: its neighbours are not to suffer."""
        largest = max(sorted(self._under_way), key=lambda row: len(self._texts[row].encode()))
        self._under_way.remove(largest)
        self._settle(largest, fault)

    def _check_patience(self) -> None:
        if self._clock() < self._gives_up_at:
            return
        fault = self._last_fault or Fault("UNAVAILABLE", "it said nothing", True)
        raise ServerUnavailable(
            fault.reason,
            f"{self._target} has answered no text for {self._limits.patience_seconds:g} s; the last it said: {fault.message}. "
            "Check the address and the server, or raise Limits.patience_seconds.",
        )
