"""A server whose streams do what a test says, one script a stream; the last one goes on for all later streams."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2

from sentiment_spark.gen import sentiment_pb2 as api
from sentiment_spark.stream import METHOD

Request = api.AnalyzeStreamRequest
Response = api.AnalyzeStreamResponse
Script = Callable[[Iterator[Request], grpc.ServicerContext], Iterator[Response]]


def answer(request: Request) -> Response:
    said = api.Sentiment(label=api.LABEL_POSITIVE, score=len(request.text), tier=request.tier, cache=api.CACHE_TIER_NONE)
    return Response(id=request.id, sentiment=said)


def refusal(code: grpc.StatusCode, reason: str, wait_ms: int | None = None) -> status_pb2.Status:
    details = [error_details_pb2.ErrorInfo(reason=reason, domain="sentiment.v1")]
    if wait_ms is not None:
        details.append(error_details_pb2.RetryInfo(retry_delay=Duration(nanos=wait_ms * 1_000_000)))
    status = status_pb2.Status(code=code.value[0], message=f"because of {reason}")
    for detail in details:
        packed = Any()
        packed.Pack(detail)
        status.details.append(packed)
    return status


def end(context: grpc.ServicerContext, code: grpc.StatusCode, status: status_pb2.Status, pushback_ms: int | None) -> None:
    trailers = [("grpc-status-details-bin", status.SerializeToString())]
    if pushback_ms is not None:
        trailers.append(("grpc-retry-pushback-ms", str(pushback_ms)))
    context.set_trailing_metadata(trailers)
    context.abort(code, status.message)


@dataclass
class ScriptedServer:
    scripts: list[Script]
    target: str = ""
    #: Texts that were asked, stream by stream.
    asked: list[list[str]] = field(default_factory=list)
    metadata: list[dict[str, str]] = field(default_factory=list)

    def stream(self, requests: Iterator[Request], context: grpc.ServicerContext) -> Iterator[Response]:
        script = self.scripts[min(len(self.asked), len(self.scripts) - 1)]
        texts: list[str] = []
        self.asked.append(texts)
        self.metadata.append(dict(context.invocation_metadata()))

        def noted() -> Iterator[Request]:
            for request in requests:
                texts.append(request.text)
                yield request

        yield from script(noted(), context)


@contextmanager
def serving(*scripts: Script, credentials: grpc.ServerCredentials | None = None) -> Iterator[ScriptedServer]:
    scripted = ScriptedServer(list(scripts))
    handler = grpc.stream_stream_rpc_method_handler(
        scripted.stream, request_deserializer=Request.FromString, response_serializer=Response.SerializeToString
    )
    _, service, method = METHOD.split("/")
    server = grpc.server(ThreadPoolExecutor(8))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(service, {method: handler})])
    if credentials is None:
        port = server.add_insecure_port("127.0.0.1:0")
    else:
        port = server.add_secure_port("127.0.0.1:0", credentials)
    scripted.target = f"localhost:{port}"
    server.start()
    try:
        yield scripted
    finally:
        server.stop(None).wait()
