"""How the server is reached: address, TLS, key, and what gRPC is told of it."""

from __future__ import annotations

import json
import os
import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Union

import grpc

from sentiment_client.checks import check_count, check_seconds
from sentiment_client.tracing import trace_metadata

DEFAULT_ADDRESS = "127.0.0.1:50051"
#: Seconds.
DEFAULT_TIMEOUT = 30.0
#: Over what a batch of 100 texts of 10,000 characters takes with all its sentences and words.
DEFAULT_MAX_MESSAGE_BYTES = 32 * 1024 * 1024

StrPath = Union[str, "os.PathLike[str]"]
Metadata = tuple[tuple[str, Union[str, bytes]], ...]

_SERVICE = "sentiment.v1.SentimentService"
# A stream is opened anew by whoever knows which of its texts are unanswered.
_RETRIED = ("Analyze", "AnalyzeBatch", "ListModels")
_RETRY_POLICY = {
    "maxAttempts": 5,
    "initialBackoff": "0.1s",
    "maxBackoff": "2s",
    "backoffMultiplier": 3,
    "retryableStatusCodes": ["UNAVAILABLE"],
}
_SERVICE_CONFIG = {
    "loadBalancingConfig": [{"round_robin": {}}],
    "methodConfig": [{"name": [{"service": _SERVICE, "method": name} for name in _RETRIED], "retryPolicy": _RETRY_POLICY}],
}


@dataclass(frozen=True)
class Tls:
    """PEM, as bytes; `Tls.from_files` reads it."""

    #: Of the authority that signed the server's certificate; None: those that this machine trusts.
    root_certificates: bytes | None = None
    #: For mutual TLS, both or neither.
    certificate: bytes | None = None
    private_key: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.private_key is None):
            raise ValueError("Tls wants certificate and private_key together, or neither")

    @staticmethod
    def from_files(ca: StrPath | None = None, certificate: StrPath | None = None, key: StrPath | None = None) -> Tls:
        """Raises OSError for a file that cannot be read."""
        return Tls(*(None if file is None else Path(file).read_bytes() for file in (ca, certificate, key)))


@dataclass(frozen=True)
class Connection:
    target: str
    credentials: grpc.ChannelCredentials | None
    channel_options: list[tuple[str, str | int]]
    default_timeout: float
    _key_metadata: Metadata = field(repr=False)
    _trace_context: bool

    def timeout(self, seconds: float | None) -> float:
        """Of a call that names these."""
        return self.default_timeout if seconds is None else seconds

    def metadata(self) -> Metadata:
        """Of a call that begins now."""
        return (*self._key_metadata, *(trace_metadata() if self._trace_context else ()))


def connection_of(
    address: str | None,
    api_key: str | None,
    tls: Tls | None,
    timeout: float,
    max_message_bytes: int,
    trace_context: bool,
) -> Connection:
    """Raises ValueError for what cannot be meant."""
    check_seconds("timeout", timeout)
    check_count("max_message_bytes", max_message_bytes)
    return Connection(
        target=address or os.environ.get("SENTIMENT_ADDRESS") or DEFAULT_ADDRESS,
        credentials=None if tls is None else _credentials_of(tls),
        channel_options=_channel_options(max_message_bytes),
        default_timeout=timeout,
        _key_metadata=_key_metadata(api_key),
        _trace_context=trace_context,
    )


def _key_metadata(api_key: str | None) -> Metadata:
    if api_key is None:
        return ()
    if not re.fullmatch(r"[\x21-\x7e]+", api_key):
        # gRPC's own error would repeat it.
        raise ValueError("api_key is empty, or has characters that no key has: white space, or none of ASCII")
    return (("authorization", f"Bearer {api_key}"),)


def _credentials_of(tls: Tls) -> grpc.ChannelCredentials:
    roots = _system_roots() if tls.root_certificates is None else tls.root_certificates
    return grpc.ssl_channel_credentials(roots, tls.private_key, tls.certificate)


def _system_roots() -> bytes | None:
    """None where the system has none: then gRPC takes those that it brings."""
    trusted = ssl.create_default_context().get_ca_certs(binary_form=True)
    return "".join(map(ssl.DER_cert_to_PEM_cert, trusted)).encode() or None


def _channel_options(max_message_bytes: int) -> list[tuple[str, str | int]]:
    return [
        ("grpc.service_config", json.dumps(_SERVICE_CONFIG)),
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
        # gRPC tries nothing again that it has not kept.
        ("grpc.per_rpc_retry_buffer_size", max_message_bytes),
        # A server that has vanished is noticed by a ping; none are sent without a call.
        ("grpc.keepalive_time_ms", 30_000),
        ("grpc.keepalive_timeout_ms", 10_000),
        ("grpc.keepalive_permit_without_calls", 0),
        ("grpc.http2.max_pings_without_data", 0),
        # One that was restarted is found again soon.
        ("grpc.initial_reconnect_backoff_ms", 200),
        ("grpc.max_reconnect_backoff_ms", 2000),
    ]
