"""What ends a task. What is wrong with a single text never does: it stands in that row's error columns."""

from __future__ import annotations


class SentimentError(RuntimeError):
    """The server refused the whole stream: `reason` is that of its ErrorInfo (KEY_UNKNOWN, ...), or gRPC's status."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(f"{reason}: {message}")
        self.reason = reason


class ServerUnavailable(SentimentError):
    """No text was answered for Limits.patience_seconds, however often it was tried."""
