"""What the server refuses, as one exception."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, TypeVar, Union, cast

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2

# Asking changes nothing on the server, so what failed on its way may be asked again; these say that it may help.
_TEMPORARY = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED})
_BY_NUMBER = {code.value[0]: code for code in grpc.StatusCode}
# What gRPC says of a call that something between here and the server has reset.
_RESET = frozenset({grpc.StatusCode.CANCELLED, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN})
# gRPC's own words for a message over a limit, as it came or once it was inflated, which stays over it; it sends no details.
_TOO_LARGE = "larger than"
# Of the proxy in front of the server (deploy/nginx), never of the server.
_BODY_TOO_LARGE = "BODY_TOO_LARGE"

Trailers = Iterable[tuple[str, Union[str, bytes]]]
_Detail = TypeVar("_Detail", bound=Message)


class Reason:
    """Values of `SentimentError.reason`, of which the server's README has a table. A newer server may send others."""

    TEXT_EMPTY: Final = "TEXT_EMPTY"
    TEXT_TOO_LONG: Final = "TEXT_TOO_LONG"
    TEXT_NOT_UTF8: Final = "TEXT_NOT_UTF8"
    TIER_UNKNOWN: Final = "TIER_UNKNOWN"
    OPTION_UNKNOWN: Final = "OPTION_UNKNOWN"
    ID_TOO_LONG: Final = "ID_TOO_LONG"
    BATCH_EMPTY: Final = "BATCH_EMPTY"
    BATCH_TOO_LARGE: Final = "BATCH_TOO_LARGE"
    KEY_MISSING: Final = "KEY_MISSING"
    KEY_UNKNOWN: Final = "KEY_UNKNOWN"
    NOT_ALLOWED: Final = "NOT_ALLOWED"
    NOT_IMPLEMENTED: Final = "NOT_IMPLEMENTED"
    MODEL_UNKNOWN: Final = "MODEL_UNKNOWN"
    MODEL_UNUSABLE: Final = "MODEL_UNUSABLE"
    TENSOR_INVALID: Final = "TENSOR_INVALID"
    PROFILE_UNWRITABLE: Final = "PROFILE_UNWRITABLE"
    METADATA_TOO_LARGE: Final = "METADATA_TOO_LARGE"
    OVERLOADED: Final = "OVERLOADED"
    RATE_LIMITED: Final = "RATE_LIMITED"
    DEADLINE: Final = "DEADLINE"
    BACKEND_DOWN: Final = "BACKEND_DOWN"
    DRAINING: Final = "DRAINING"
    PROCESS_DOWN: Final = "PROCESS_DOWN"
    CACHE_DOWN: Final = "CACHE_DOWN"
    BUG: Final = "BUG"


@dataclass(frozen=True)
class FieldViolation:
    """Which field of a request is wrong, as `texts[1]`, and why."""

    field: str
    description: str


class SentimentError(Exception):
    """A call, or one text of it, got no answer."""

    #: gRPC's status.
    code: grpc.StatusCode
    #: One of `Reason`, or what a newer server says; the name of `code` where gRPC itself has refused.
    reason: str
    message: str
    #: Seconds after which the server will take it; None where it does not say.
    retry_after: float | None
    field_violations: tuple[FieldViolation, ...]

    def __init__(
        self,
        code: grpc.StatusCode,
        reason: str,
        message: str,
        retry_after: float | None = None,
        field_violations: tuple[FieldViolation, ...] = (),
    ) -> None:
        # All of it, in this order: that is what pickle makes it anew from.
        super().__init__(code, reason, message, retry_after, field_violations)
        self.code = code
        self.reason = reason
        self.message = message
        self.retry_after = retry_after
        self.field_violations = field_violations

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"

    @property
    def temporary(self) -> bool:
        """The same may be answered later: `analyze_all` and `analyze_stream` ask again by themselves."""
        final = self.reason == Reason.METADATA_TOO_LARGE or is_too_large(self)
        return self.code in _TEMPORARY and not final

    @property
    def from_grpc(self) -> bool:
        """gRPC, or a proxy, has refused; the server said nothing of it."""
        return self.reason == self.code.name


class ClosedError(SentimentError):
    """The client was closed: it looks like a call that broke, but asking again would not help."""


def is_too_large(error: SentimentError) -> bool:
    """A message was over a limit of gRPC's, or of the proxy's; which of its texts is to blame nobody says."""
    if error.code is not grpc.StatusCode.RESOURCE_EXHAUSTED:
        return False
    return error.reason == _BODY_TOO_LARGE or (error.from_grpc and _TOO_LARGE in error.message)


def is_lost(error: SentimentError) -> bool:
    """A call broke on its way, without a word of the server's."""
    return error.from_grpc and error.code in _RESET and not isinstance(error, ClosedError)


def error_of_status(status: status_pb2.Status) -> SentimentError:
    """Of one text, or what a call's trailer holds."""
    code = _BY_NUMBER.get(status.code, grpc.StatusCode.UNKNOWN)
    info = _detail(status, error_details_pb2.ErrorInfo())
    retry = _detail(status, error_details_pb2.RetryInfo())
    bad = _detail(status, error_details_pb2.BadRequest())
    violations = () if bad is None else tuple(FieldViolation(v.field, v.description) for v in bad.field_violations)
    return SentimentError(
        code,
        code.name if info is None else info.reason,
        status.message,
        None if retry is None else retry.retry_delay.ToTimedelta().total_seconds(),
        violations,
    )


def error_of_call(error: grpc.RpcError) -> SentimentError:
    """Of a whole call, of grpc or grpc.aio."""
    # What is raised is a Call as well, and in grpc.aio has the same three methods.
    call = cast(grpc.Call, error)
    return error_of_end(call.code(), call.details(), call.trailing_metadata())


def error_of_end(code: grpc.StatusCode, details: str | None, trailers: Trailers | None) -> SentimentError:
    """What a call has ended with."""
    for name, value in trailers or ():
        if name == "grpc-status-details-bin" and isinstance(value, bytes):
            status = _read(value)
            if status is not None:
                return error_of_status(status)
    return SentimentError(code, code.name, details or "")


def closed_error() -> SentimentError:
    code = grpc.StatusCode.CANCELLED
    return ClosedError(code, code.name, "the client is closed")


def _read(raw: bytes) -> status_pb2.Status | None:
    try:
        return status_pb2.Status.FromString(raw)
    except DecodeError:
        return None


def _detail(status: status_pb2.Status, message: _Detail) -> _Detail | None:
    try:
        return message if any(detail.Unpack(message) for detail in status.details) else None
    except DecodeError:
        return None
