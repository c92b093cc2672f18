"""How often and how long what was refused is asked again."""

from __future__ import annotations

import random
import time
from collections.abc import Callable

import grpc

from sentiment_client.errors import SentimentError

FIRST_REST_SECONDS = 0.1
LONGEST_REST_SECONDS = 5.0
#: Clients that were refused together must not come back together.
JITTER = 0.2


class Patience:
    """Of one helper, all of its calls together: it ends when nothing was answered for `seconds`."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self._seconds = seconds
        self._answered_at = clock()

    def answered(self) -> None:
        self._answered_at = self.clock()

    def ends_at(self, since: float) -> float:
        """For what was first asked at `since`."""
        return max(self._answered_at, since) + self._seconds

    def check(self, since: float, last: SentimentError | None) -> None:
        """Raises when it is over; `last` is what was said last."""
        if self.clock() < self.ends_at(since):
            return
        raise self._given_up(last)

    def _given_up(self, last: SentimentError | None) -> SentimentError:
        error = last or SentimentError(grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE", "nothing at all")
        message = f"nothing was answered for {self._seconds:g} s; the last that was said: {error.message}"
        return SentimentError(error.code, error.reason, message, error.retry_after, error.field_violations)


class Tries:
    """Of one call or stream: how long to rest before the next."""

    def __init__(self, patience: Patience) -> None:
        self._patience = patience
        self._refusals = 0
        self._since = patience.clock()

    def answered(self) -> None:
        self._refusals = 0
        self._patience.answered()

    def restarted(self) -> None:
        """Nothing was asked until now, so nothing was owed."""
        self._since = self._patience.clock()

    def check(self, last: SentimentError | None) -> None:
        self._patience.check(self._since, last)

    @property
    def seconds_left(self) -> float:
        return max(0.0, self._patience.ends_at(self._since) - self._patience.clock())

    def rest(self, refusal: SentimentError, *, again: bool = True) -> float:
        """Seconds. `again`: it is not one of several that were refused at once. Raises when patience is over."""
        self.check(refusal)
        self._refusals = max(1, self._refusals + again)
        backoff = min(LONGEST_REST_SECONDS, FIRST_REST_SECONDS * 2.0 ** min(self._refusals - 1, 10))
        told = refusal.retry_after
        return min((backoff if told is None else told) * (1 + JITTER * random.random()), self.seconds_left)
