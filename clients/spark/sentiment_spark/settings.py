"""How the server is asked. All of it is pickled and travels to the executors."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Literal, get_args

Tier = Literal["default", "fast", "balanced", "accurate", "auto"]
LongText = Literal["windows", "truncate", "reject"]


@dataclass(frozen=True)
class Limits:
    #: Texts under way on a task's stream, at most: what the server has not answered yet.
    max_under_way: int = 256
    #: A stream that answers nothing for that long while texts are under way is given up; they are asked again on a new one.
    inactivity_seconds: float = 35.0
    #: The task fails when no text is answered for that long, tries and waits for the server's sake included.
    patience_seconds: float = 120.0

    def __post_init__(self) -> None:
        if not isinstance(self.max_under_way, int) or self.max_under_way < 1:
            raise ValueError(f"Limits.max_under_way must be a whole number, at least 1; it is {self.max_under_way!r}")
        for name in ("inactivity_seconds", "patience_seconds"):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f"Limits.{name} must be over 0 and finite; it is {value!r}")


@dataclass(frozen=True)
class Tls:
    """PEM, as bytes: files are read where the job is written, not on the executors."""

    #: Of the authority that signed the server's certificate; None: those that gRPC brings.
    root_certificates: bytes | None = None
    #: For mutual TLS, both or neither.
    certificate: bytes | None = None
    private_key: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("Tls wants certificate and private_key together, or neither")


@dataclass(frozen=True)
class Settings:
    target: str
    tier: Tier = "default"
    long_text: LongText = "windows"
    api_key: str | None = field(default=None, repr=False)
    tls: Tls | None = None
    limits: Limits = Limits()

    def __post_init__(self) -> None:
        if not self.target:
            raise ValueError('target must be the address of the server, as in "sentiment.example.org:50051"')
        if self.api_key is not None and not re.fullmatch(r"[\x21-\x7e]+", self.api_key):
            # gRPC ends each stream for it, as if it were reset on its way. The message does not repeat the key.
            raise ValueError("api_key is empty, or has characters that no key has: white space, or none of ASCII")
        for name, kind in (("tier", Tier), ("long_text", LongText)):
            if getattr(self, name) not in get_args(kind):
                raise ValueError(f"{name} must be one of {', '.join(get_args(kind))}; it is {getattr(self, name)!r}")
