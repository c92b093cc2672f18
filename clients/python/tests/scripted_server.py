"""A server that does what a test says, for what the real one cannot be made to do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any as Anything

import grpc
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.rpc import error_details_pb2, status_pb2

from sentiment_client.gen import sentiment_pb2 as api
from sentiment_client.gen.sentiment_pb2_grpc import SentimentServiceServicer, add_SentimentServiceServicer_to_server

Context = Anything
OneScript = Callable[[api.AnalyzeRequest, Context], api.AnalyzeResponse]
BatchScript = Callable[[api.AnalyzeBatchRequest, Context], api.AnalyzeBatchResponse]
StreamScript = Callable[[Iterator[api.AnalyzeStreamRequest], Context], Iterable[api.AnalyzeStreamResponse]]


def sentiment_of(text: str) -> api.Sentiment:
    """Its score is the length of the text."""
    return api.Sentiment(label=api.LABEL_POSITIVE, score=len(text))


def answer_one(request: api.AnalyzeRequest, context: Context) -> api.AnalyzeResponse:
    return api.AnalyzeResponse(sentiment=sentiment_of(request.text))


def answer_batch(request: api.AnalyzeBatchRequest, context: Context) -> api.AnalyzeBatchResponse:
    results = [api.AnalyzeResult(index=i, sentiment=sentiment_of(text)) for i, text in enumerate(request.texts)]
    return api.AnalyzeBatchResponse(results=results)


def answer(request: api.AnalyzeStreamRequest) -> api.AnalyzeStreamResponse:
    return api.AnalyzeStreamResponse(id=request.id, sentiment=sentiment_of(request.text))


def answer_stream(requests: Iterator[api.AnalyzeStreamRequest], context: Context) -> Iterable[api.AnalyzeStreamResponse]:
    return map(answer, requests)


def refusal(code: grpc.StatusCode, reason: str, wait_ms: int | None = None, field: str = "") -> status_pb2.Status:
    details: list[Anything] = [error_details_pb2.ErrorInfo(reason=reason, domain="sentiment.v1")]
    if wait_ms is not None:
        details.append(error_details_pb2.RetryInfo(retry_delay=Duration(nanos=wait_ms * 1_000_000)))
    if field:
        violation = error_details_pb2.BadRequest.FieldViolation(field=field, description="it is bad")
        details.append(error_details_pb2.BadRequest(field_violations=[violation]))
    status = status_pb2.Status(code=code.value[0], message=f"because of {reason}")
    for detail in details:
        packed = Any()
        packed.Pack(detail)
        status.details.append(packed)
    return status


def end(context: Context, status: status_pb2.Status, pushback_ms: int | None = None) -> None:
    """With that status and its details, as the real server does."""
    trailers: list[tuple[str, str | bytes]] = [("grpc-status-details-bin", status.SerializeToString())]
    if pushback_ms is not None:
        trailers.append(("grpc-retry-pushback-ms", str(pushback_ms)))
    context.set_trailing_metadata(trailers)
    code = next(code for code in grpc.StatusCode if code.value[0] == status.code)
    context.abort(code, status.message)


@dataclass
class ScriptedServer(SentimentServiceServicer):
    one: OneScript = answer_one
    batch: BatchScript = answer_batch
    #: One a stream; the last goes on for all later ones.
    streams: list[StreamScript] = field(default_factory=lambda: [answer_stream])
    address: str = ""
    #: Of each call, in the order in which they came.
    metadata: list[dict[str, str]] = field(default_factory=list)
    batches: list[list[str]] = field(default_factory=list)
    #: Texts that were asked, stream by stream.
    streamed: list[list[str]] = field(default_factory=list)

    def Analyze(self, request: api.AnalyzeRequest, context: Context) -> api.AnalyzeResponse:
        self._note(context)
        return self.one(request, context)

    def AnalyzeBatch(self, request: api.AnalyzeBatchRequest, context: Context) -> api.AnalyzeBatchResponse:
        self._note(context)
        self.batches.append(list(request.texts))
        return self.batch(request, context)

    def AnalyzeStream(
        self, request_iterator: Iterator[api.AnalyzeStreamRequest], context: Context
    ) -> Iterator[api.AnalyzeStreamResponse]:
        self._note(context)
        script = self.streams[min(len(self.streamed), len(self.streams) - 1)]
        texts: list[str] = []
        self.streamed.append(texts)

        def noted() -> Iterator[api.AnalyzeStreamRequest]:
            for request in request_iterator:
                texts.append(request.text)
                yield request

        yield from script(noted(), context)

    def ListModels(self, request: api.ListModelsRequest, context: Context) -> api.ListModelsResponse:
        self._note(context)
        return api.ListModelsResponse()

    def _note(self, context: Context) -> None:
        self.metadata.append(dict(context.invocation_metadata()))


@contextmanager
def serving(
    one: OneScript = answer_one, batch: BatchScript = answer_batch, streams: Iterable[StreamScript] = (answer_stream,)
) -> Iterator[ScriptedServer]:
    scripted = ScriptedServer(one, batch, list(streams))
    server = grpc.server(ThreadPoolExecutor(16))
    add_SentimentServiceServicer_to_server(scripted, server)
    scripted.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    try:
        yield scripted
    finally:
        server.stop(None).wait()
