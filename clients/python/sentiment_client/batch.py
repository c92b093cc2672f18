"""Texts of one AnalyzeBatch, and how any number of texts is cut into such. Nothing here talks to a server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import grpc

from sentiment_client.checks import check_count, check_seconds
from sentiment_client.errors import SentimentError, is_lost, is_too_large
from sentiment_client.gen import sentiment_pb2 as api
from sentiment_client.patience import Tries
from sentiment_client.questions import Outcome, Question, fault_of, outcome_of

# 32 of the longest texts that a server with its default settings analyzes have less. A longer one is a call of its own.
MAX_BATCH_LENGTH = 400_000


@dataclass(frozen=True)
class BatchLimits:
    batch_size: int
    concurrency: int
    give_up_after: float

    def __post_init__(self) -> None:
        check_count("batch_size", self.batch_size)
        check_count("concurrency", self.concurrency)
        check_seconds("give_up_after", self.give_up_after)


def _is_asked_again(error: SentimentError) -> bool:
    """Of a whole call. A deadline of which the server says nothing is the call's own: outcomes are still waited for."""
    is_late = error.from_grpc and error.code is grpc.StatusCode.DEADLINE_EXCEEDED
    return error.temporary or is_late or is_lost(error)


class Batch:
    """What became of each text so far."""

    def __init__(self, texts: Sequence[str], question: Question) -> None:
        self._texts = texts
        self._question = question
        self._outcomes: list[Outcome | None] = [fault_of(text) for text in texts]
        # Fewer than all after a message that was too large.
        self._most = len(texts)

    @property
    def done(self) -> bool:
        return None not in self._outcomes

    @property
    def outcomes(self) -> list[Outcome]:
        return [outcome for outcome in self._outcomes if outcome is not None]

    def request(self) -> api.AnalyzeBatchRequest:
        return self._question.batch([self._texts[place] for place in self._asked()])

    def take(self, response: api.AnalyzeBatchResponse) -> None:
        places = self._asked()
        if len(response.results) != len(places):
            code = grpc.StatusCode.INTERNAL
            raise SentimentError(code, code.name, f"{len(response.results)} answers came to {len(places)} texts")
        for place, result in zip(places, response.results):
            self._outcomes[place] = outcome_of(result)

    def take_for_now(self, response: api.AnalyzeBatchResponse, tries: Tries) -> SentimentError | None:
        """Texts with temporary errors stay to be asked again: gives the error that wants the longest rest, if any."""
        asked = len(self._asked())
        self.take(response)
        refusals = []
        for place, outcome in enumerate(self._outcomes):
            if isinstance(outcome, SentimentError) and outcome.temporary:
                refusals.append(outcome)
                self._outcomes[place] = None
        if len(refusals) < asked:
            tries.answered()
        return max(refusals, key=lambda refusal: refusal.retry_after or 0.0, default=None)

    def fail_for_now(self, error: SentimentError, tries: Tries) -> SentimentError | None:
        """A call got no answer: gives the error after which it needs a rest, if any. Raises where another would not help."""
        if is_too_large(error):
            self._ask_less(error, tries)
            return None
        if _is_asked_again(error):
            return error
        raise error

    def _ask_less(self, error: SentimentError, tries: Tries) -> None:
        """By halves, until the text that is too large is alone: its neighbours are not to suffer."""
        asked = self._asked()
        if len(asked) > 1:
            self._most = (len(asked) + 1) // 2
            return
        self._outcomes[asked[0]] = error
        self._most = len(self._texts)
        tries.answered()

    def _asked(self) -> list[int]:
        """By the next call, or the one under way."""
        unanswered = [place for place, outcome in enumerate(self._outcomes) if outcome is None]
        return unanswered[: self._most]


class Cutter:
    """Cuts where a batch has `size` texts, or as many characters as one message may have."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._texts: list[str] = []
        self._length = 0

    def add(self, text: str) -> list[str] | None:
        """A batch that is full now."""
        full = self.rest() if self._texts and self._length + len(text) > MAX_BATCH_LENGTH else None
        self._texts.append(text)
        self._length += len(text)
        # A batch of one text that was begun just now is never full as well: it was not the first.
        return self.rest() if len(self._texts) == self._size else full

    def rest(self) -> list[str]:
        texts, self._texts, self._length = self._texts, [], 0
        return texts
