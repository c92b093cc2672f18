"""One AnalyzeStream, and the channel that streams are opened on."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from queue import Empty, SimpleQueue
from threading import Thread
from types import TracebackType

import grpc

from sentiment_spark.gen import sentiment_pb2 as api
from sentiment_spark.settings import Settings, Tls

METHOD = "/sentiment.v1.SentimentService/AnalyzeStream"
# A stream is opened for each batch of rows: with several servers behind a name they share the batches.
SERVICE_CONFIG = {"loadBalancingConfig": [{"round_robin": {}}]}
CHANNEL_OPTIONS = [
    ("grpc.service_config", json.dumps(SERVICE_CONFIG)),
    # Tries are counted and paced by the asking alone.
    ("grpc.enable_retries", 0),
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2000),
]


class Ended:
    """The server has ended the stream, in good order."""


Event = api.AnalyzeStreamResponse | grpc.RpcError | Ended


class Stream:
    """Two queues around the call: who uses it never waits for longer than it says."""

    def __init__(self, method: grpc.StreamStreamMultiCallable, metadata: tuple[tuple[str, str], ...]) -> None:
        self._requests: SimpleQueue[api.AnalyzeStreamRequest | None] = SimpleQueue()
        self._events: SimpleQueue[Event] = SimpleQueue()
        self._call = method(iter(self._requests.get, None), metadata=metadata)
        Thread(target=self._read, name="sentiment-stream", daemon=True).start()

    def send(self, request: api.AnalyzeStreamRequest) -> None:
        self._requests.put(request)

    def take(self, seconds: float) -> Event | None:
        """What comes next; None when nothing does within that time."""
        try:
            return self._events.get(timeout=max(0.0, seconds))
        except Empty:
            return None

    def _read(self) -> None:
        try:
            for response in self._call:
                self._events.put(response)
            self._events.put(Ended())
        except grpc.RpcError as error:
            self._events.put(error)

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        # Also wakes gRPC's thread that waits for the next request.
        self._requests.put(None)
        self._call.cancel()


OpenStream = Callable[[], AbstractContextManager[Stream]]


def open_channel(settings: Settings) -> grpc.Channel:
    if settings.tls is None:
        return grpc.insecure_channel(settings.target, CHANNEL_OPTIONS)
    return grpc.secure_channel(settings.target, _credentials(settings.tls), CHANNEL_OPTIONS)


def _credentials(tls: Tls) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(tls.root_certificates, tls.private_key, tls.certificate)


def streams_of(channel: grpc.Channel, settings: Settings) -> OpenStream:
    method = channel.stream_stream(
        METHOD,
        request_serializer=api.AnalyzeStreamRequest.SerializeToString,
        response_deserializer=api.AnalyzeStreamResponse.FromString,
    )
    key = settings.api_key
    metadata = () if key is None else (("authorization", f"Bearer {key}"),)
    return lambda: Stream(method, metadata)
