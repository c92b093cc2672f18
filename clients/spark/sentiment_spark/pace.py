"""How many texts are under way, and when more may be sent."""

from __future__ import annotations

import random

FIRST_WAIT_SECONDS = 0.1
LONGEST_WAIT_SECONDS = 5.0
#: Tasks that were refused together must not come back together.
JITTER = 0.2


class Pace:
    """The window halves when the server refuses, and grows by one each time that so many were answered: what TCP does."""

    def __init__(self, max_under_way: int) -> None:
        self._most = max_under_way
        self._window = float(max_under_way)
        self._refusals = 0
        self._until = 0.0

    @property
    def window(self) -> int:
        return int(self._window)

    @property
    def resumes_at(self) -> float:
        """Nothing is sent before."""
        return self._until

    def answered(self) -> None:
        self._refusals = 0
        self._window = min(self._most, self._window + 1 / self._window)

    def refused(self, now: float, wait_seconds: float | None) -> None:
        """`wait_seconds`: what the server asks for. What is refused during a wait was sent before it, and says nothing new but how long."""
        if now >= self._until:
            self._window = max(1.0, self._window / 2)
            self._refusals += 1
        backoff = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** min(self._refusals - 1, 10))
        wait = backoff if wait_seconds is None else wait_seconds
        self._until = max(self._until, now + wait * (1 + JITTER * random.random()))
