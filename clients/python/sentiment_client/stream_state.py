"""Which texts of an AnalyzeStream are answered, under way and still to be asked. Nothing here talks to a server."""

from __future__ import annotations

from collections import deque

import grpc

from sentiment_client.checks import check_count, check_seconds
from sentiment_client.errors import SentimentError, is_lost, is_too_large
from sentiment_client.gen import sentiment_pb2 as api
from sentiment_client.patience import Patience, Tries
from sentiment_client.questions import Outcome, Question, fault_of, outcome_of

ENDED_EARLY = SentimentError(
    grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE", "the server has ended the stream before all was answered"
)


def _breaks_by_chance(error: SentimentError) -> bool:
    """A stream has no deadline of its own: one that comes is the server's, for a stream that was quiet for too long."""
    return error.temporary or error.code is grpc.StatusCode.DEADLINE_EXCEEDED or is_lost(error)


class StreamState:
    """Texts by their place. Whoever uses it tells it all that happens, one thing at a time."""

    def __init__(self, question: Question, patience: Patience, *, ordered: bool) -> None:
        self._question = question
        self._ordered = ordered
        self._clock = patience.clock
        self._tries = Tries(patience)
        self._resumes_at = 0.0
        self._last_refusal: SentimentError | None = None
        self._texts: dict[int, str] = {}
        self._waiting: deque[int] = deque()
        self._under_way: set[int] = set()
        self._ready: dict[int, Outcome] = {}
        self._read = 0
        self._handed_out = 0
        self._ended = False
        self._source_error: Exception | None = None

    def add(self, text: str) -> None:
        """The next text was read."""
        if not self._texts:
            self._tries.restarted()
        place, self._read = self._read, self._read + 1
        fault = fault_of(text)
        if fault is not None:
            self._ready[place] = fault
            return
        self._texts[place] = text
        self._waiting.append(place)

    def end(self, error: Exception | None = None) -> None:
        """There are no more texts, or reading them has failed."""
        self._ended = True
        self._source_error = error

    def requests(self) -> list[api.AnalyzeStreamRequest]:
        """What is to be sent now; it is under way then."""
        if self._clock() < self._resumes_at:
            return []
        places = list(self._waiting)
        self._waiting.clear()
        self._under_way.update(places)
        return [self._question.streamed(place, self._texts[place]) for place in places]

    def take(self, response: api.AnalyzeStreamResponse) -> None:
        place = int(response.id) if response.id.isdecimal() else -1
        if place not in self._under_way:
            return
        self._under_way.remove(place)
        outcome = outcome_of(response)
        if isinstance(outcome, SentimentError) and outcome.temporary:
            self._waiting.append(place)
            self._rest(outcome)
            return
        self._settle(place, outcome)

    def broke(self, error: SentimentError) -> None:
        """What was under way is to be asked again, on another stream. Raises where that would not help."""
        if not self._texts:
            return
        if is_too_large(error) and self._under_way:
            self._refuse_largest(error)
        elif _breaks_by_chance(error):
            self._rest(error)
        else:
            raise error
        self._waiting.extendleft(sorted(self._under_way, reverse=True))
        self._under_way.clear()

    def pop_ready(self) -> tuple[int, Outcome] | None:
        """A place and what became of its text, where one is ready to be handed out."""
        place = self._handed_out if self._ordered else next(iter(self._ready), -1)
        if place not in self._ready:
            return None
        self._handed_out += 1
        return place, self._ready.pop(place)

    def resumed(self) -> None:
        """Whoever took an outcome wants the next: the time between is not the server's."""
        self._tries.answered()

    @property
    def finished(self) -> bool:
        """All is handed out. Raises what reading the texts has failed with."""
        done = self._ended and self._handed_out == self._read
        if done and self._source_error is not None:
            raise self._source_error
        return done

    def wakes_in(self) -> float | None:
        """Seconds until there is something to do even if nothing happens, if ever. Raises when patience is over."""
        if not self._texts:
            return None
        self._tries.check(self._last_refusal)
        left = self._tries.seconds_left
        return min(left, max(0.0, self._resumes_at - self._clock())) if self._waiting else left

    def _settle(self, place: int, outcome: Outcome) -> None:
        del self._texts[place]
        self._ready[place] = outcome
        self._tries.answered()
        # It is not why nothing comes after this answer.
        self._last_refusal = None

    def _refuse_largest(self, error: SentimentError) -> None:
        """A message has one text: its neighbours are not to suffer."""
        largest = max(sorted(self._under_way), key=lambda place: len(self._texts[place].encode()))
        self._under_way.remove(largest)
        self._settle(largest, error)

    def _rest(self, refusal: SentimentError) -> None:
        self._last_refusal = refusal
        now = self._clock()
        # What is refused during a rest was sent before it, and says nothing new but how long.
        again = now >= self._resumes_at
        self._resumes_at = max(self._resumes_at, now + self._tries.rest(refusal, again=again))


def stream_state_of(question: Question, max_under_way: int, give_up_after: float, *, ordered: bool) -> StreamState:
    """Raises ValueError for what cannot be meant."""
    check_count("max_under_way", max_under_way)
    check_seconds("give_up_after", give_up_after)
    return StreamState(question, Patience(give_up_after), ordered=ordered)
