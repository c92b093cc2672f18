"""What one call tries again, and its errors, of both clients, against a server that misbehaves in ways that are set."""

from __future__ import annotations

import itertools
import threading
import time
import unittest
from typing import Any

import grpc
from each_client import EachClient
from scripted_server import Context, ScriptedServer, answer_one, end, refusal

from sentiment_client import FieldViolation, SentimentClient, SentimentError
from sentiment_client.gen import sentiment_pb2 as api

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED
INVALID = grpc.StatusCode.INVALID_ARGUMENT


class OneCall(EachClient):
    def test_unavailable_is_tried_again_when_the_server_says(self) -> None:
        def make() -> dict[str, Any]:
            calls = itertools.count(1)

            def fails_twice(request: api.AnalyzeRequest, context: Context) -> api.AnalyzeResponse:
                if next(calls) <= 2:
                    end(context, refusal(UNAVAILABLE, "BACKEND_DOWN", 400), pushback_ms=400)
                return answer_one(request, context)

            return {"one": fails_twice}

        def test(client: SentimentClient, server: ScriptedServer) -> None:
            started_at = time.monotonic()
            self.assertEqual(client.analyze("abc").sentiment.score, 3)
            # Without the server's word it would be 0.1 and 0.3 seconds at most.
            self.assertGreaterEqual(time.monotonic() - started_at, 0.8)
            self.assertEqual(len(server.metadata), 3)

        self.each(test, make=make)

    def test_unavailable_is_tried_five_times(self) -> None:
        def fails(request: api.AnalyzeRequest, context: Context) -> api.AnalyzeResponse:
            end(context, refusal(UNAVAILABLE, "BACKEND_DOWN", 10), pushback_ms=10)
            raise AssertionError

        def test(client: SentimentClient, server: ScriptedServer) -> None:
            with self.assertRaisesRegex(SentimentError, "BACKEND_DOWN: because of BACKEND_DOWN") as raised:
                client.analyze("abc")
            self.assertEqual((raised.exception.code, raised.exception.retry_after), (UNAVAILABLE, 0.01))
            self.assertEqual(len(server.metadata), 5)

        self.each(test, one=fails)

    def test_nothing_else_is_tried_again(self) -> None:
        for code, reason in [(EXHAUSTED, "RATE_LIMITED"), (grpc.StatusCode.INTERNAL, "BUG")]:

            def fails(
                request: api.AnalyzeBatchRequest,
                context: Context,
                status: Any = refusal(code, reason, 10),  # noqa: B008
            ) -> api.AnalyzeBatchResponse:
                end(context, status, pushback_ms=10)
                raise AssertionError

            def test(client: SentimentClient, server: ScriptedServer, reason: str = reason) -> None:
                with self.assertRaisesRegex(SentimentError, reason):
                    client.analyze_batch(["abc"])
                self.assertEqual(len(server.batches), 1)

            self.each(test, batch=fails)

    def test_an_error_has_all_that_the_server_says(self) -> None:
        def fails(request: api.AnalyzeRequest, context: Context) -> api.AnalyzeResponse:
            end(context, refusal(INVALID, "NEW_REASON", 1500, field="text"))
            raise AssertionError

        def test(client: SentimentClient, server: ScriptedServer) -> None:
            with self.assertRaises(SentimentError) as raised:
                client.analyze("abc")
            error = raised.exception
            self.assertEqual((error.code, error.reason, error.retry_after), (INVALID, "NEW_REASON", 1.5))
            self.assertEqual(error.message, "because of NEW_REASON")
            self.assertEqual(error.field_violations, (FieldViolation("text", "it is bad"),))
            self.assertIsInstance(error.__cause__, grpc.RpcError)

        self.each(test, one=fails)

    def test_details_that_cannot_be_read_hide_no_error(self) -> None:
        def fails(request: api.AnalyzeRequest, context: Context) -> api.AnalyzeResponse:
            context.set_trailing_metadata([("grpc-status-details-bin", b"\xff")])
            context.abort(INVALID, "no")
            raise AssertionError

        def test(client: SentimentClient, server: ScriptedServer) -> None:
            with self.assertRaisesRegex(SentimentError, "INVALID_ARGUMENT: no"):
                client.analyze("abc")

        self.each(test, one=fails)

    def test_closing_ends_what_is_under_way(self) -> None:
        def hangs(request: api.AnalyzeRequest, context: Context) -> api.AnalyzeResponse:
            while context.is_active():
                time.sleep(0.01)
            return answer_one(request, context)

        def test(client: SentimentClient, server: ScriptedServer) -> None:
            closer = threading.Timer(0.3, client.close)
            closer.start()
            with self.assertRaises(SentimentError) as raised:
                client.analyze("abc")
            self.assertEqual(raised.exception.code, grpc.StatusCode.CANCELLED)
            closer.join()

        self.each(test, one=hangs)


if __name__ == "__main__":
    unittest.main()
