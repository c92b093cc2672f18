"""What a status says: why, whether another try makes sense, and when."""

from __future__ import annotations

from dataclasses import dataclass, replace

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2

# Asking changes nothing on the server, so a try that failed on its way may be repeated; these say that it may help.
RETRIED = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED}
# What gRPC, not the server, says of a stream that was reset on its way.
BROKEN = {grpc.StatusCode.CANCELLED, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN}
# What stays over a limit however often it is tried: metadata, and messages. The second is of the proxy in front of the server (deploy/nginx);
# the third are gRPC's own words, of a message as it came or once it was inflated, without details.
METADATA_TOO_LARGE = "METADATA_TOO_LARGE"
BODY_TOO_LARGE = "BODY_TOO_LARGE"
LARGER_THAN = "larger than"
BY_NUMBER = {code.value[0]: code for code in grpc.StatusCode}


@dataclass(frozen=True)
class Fault:
    #: Of ErrorInfo, as OVERLOADED; gRPC's status where there is none.
    reason: str
    message: str
    retried: bool
    #: What the server asks for; None where it says nothing.
    wait_seconds: float | None = None

    @property
    def is_too_large(self) -> bool:
        """A message was over a limit; which text is to blame nobody says."""
        by_grpc = self.reason == grpc.StatusCode.RESOURCE_EXHAUSTED.name and LARGER_THAN in self.message
        return by_grpc or self.reason == BODY_TOO_LARGE


def fault_of_status(status: status_pb2.Status) -> Fault:
    """Of one text."""
    code = BY_NUMBER.get(status.code, grpc.StatusCode.UNKNOWN)
    info = _detail(status, error_details_pb2.ErrorInfo())
    retry = _detail(status, error_details_pb2.RetryInfo())
    wait = None if retry is None else retry.retry_delay.ToTimedelta().total_seconds()
    reason = code.name if info is None else info.reason
    fault = Fault(reason, status.message, code in RETRIED, wait)
    is_final = fault.is_too_large or reason == METADATA_TOO_LARGE
    return replace(fault, retried=False) if is_final else fault


def fault_of_error(error: grpc.RpcError) -> Fault:
    """Of a stream. gRPC's own pushback goes before RetryInfo: a negative one forbids another try."""
    trailers = dict(error.trailing_metadata() or ())
    status = _status_in(trailers) or status_pb2.Status(code=error.code().value[0], message=error.details() or "")
    fault = fault_of_status(status)
    code = error.code()
    is_broken = code in BROKEN and fault.reason == code.name
    # Of a stream the deadline is the server's, for one on which nothing came for long: a text has crossed it.
    if is_broken or code is grpc.StatusCode.DEADLINE_EXCEEDED:
        fault = replace(fault, retried=True)
    pushback = _number(trailers.get("grpc-retry-pushback-ms"))
    if pushback is None:
        return fault
    return Fault(fault.reason, fault.message, fault.retried and pushback >= 0, max(0.0, pushback / 1000))


def _status_in(trailers: dict[str, str | bytes]) -> status_pb2.Status | None:
    raw = trailers.get("grpc-status-details-bin")
    try:
        return status_pb2.Status.FromString(raw) if isinstance(raw, bytes) else None
    except DecodeError:
        return None


def _detail(status: status_pb2.Status, message: Message) -> Message | None:
    try:
        return message if any(detail.Unpack(message) for detail in status.details) else None
    except DecodeError:
        return None


def _number(text: str | bytes | None) -> int | None:
    try:
        return None if text is None else int(text)
    except ValueError:
        return None
