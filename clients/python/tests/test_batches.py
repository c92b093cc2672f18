"""analyze_all, of both clients, against a server that misbehaves in ways that are set."""

from __future__ import annotations

import itertools
import threading
import time
import unittest
from collections.abc import Callable, Iterator
from typing import Any

import grpc
from both import CLIENTS
from each_client import EachClient
from scripted_server import Context, ScriptedServer, answer_batch, end, refusal, serving
from texts import of_lengths, reasons, scores

from sentiment_client import Outcome, SentimentClient, SentimentError
from sentiment_client.gen import sentiment_pb2 as api

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED
INVALID = grpc.StatusCode.INVALID_ARGUMENT
LATE = grpc.StatusCode.DEADLINE_EXCEEDED


def hang(context: Context) -> api.AnalyzeBatchResponse:
    while context.is_active():
        time.sleep(0.01)
    return api.AnalyzeBatchResponse()


class Batches(EachClient):
    def test_a_call_that_is_refused_for_now_is_made_again_when_the_server_says(self) -> None:
        for code, reason in [(EXHAUSTED, "RATE_LIMITED"), (EXHAUSTED, "OVERLOADED")]:

            def make(code: grpc.StatusCode = code, reason: str = reason) -> dict[str, Any]:
                calls = itertools.count(1)

                def refuses_once(request: api.AnalyzeBatchRequest, context: Context) -> api.AnalyzeBatchResponse:
                    if next(calls) == 1:
                        end(context, refusal(code, reason, 500))
                    return answer_batch(request, context)

                return {"batch": refuses_once}

            def test(client: SentimentClient, server: ScriptedServer) -> None:
                started_at = time.monotonic()
                outcomes = list(client.analyze_all(of_lengths(10), batch_size=5, concurrency=1))
                self.assertEqual(scores(outcomes), list(range(1, 11)))
                self.assertGreaterEqual(time.monotonic() - started_at, 0.5)
                self.assertEqual([len(batch) for batch in server.batches], [5, 5, 5])

            self.each(test, make=make)

    def test_a_text_that_is_refused_for_now_is_asked_again_alone(self) -> None:
        def make() -> dict[str, Any]:
            calls = itertools.count(1)

            def refuses_some(request: api.AnalyzeBatchRequest, context: Context) -> api.AnalyzeBatchResponse:
                response = answer_batch(request, context)
                if next(calls) == 1:
                    response.results[1].error.CopyFrom(refusal(UNAVAILABLE, "BACKEND_DOWN", 10))
                    response.results[2].error.CopyFrom(refusal(INVALID, "TEXT_TOO_LONG"))
                    response.results[4].error.CopyFrom(refusal(EXHAUSTED, "OVERLOADED"))
                return response

            return {"batch": refuses_some}

        def test(client: SentimentClient, server: ScriptedServer) -> None:
            outcomes = list(client.analyze_all(of_lengths(6)))
            self.assertEqual(reasons(outcomes), [None, None, "TEXT_TOO_LONG", None, None, None])
            self.assertEqual(scores(outcomes[:2] + outcomes[3:]), [1, 2, 4, 5, 6])
            self.assertEqual(server.batches, [of_lengths(6), ["xx", "xxxxx"]])

        self.each(test, make=make)

    def test_a_call_that_broke_on_its_way_is_made_again(self) -> None:
        for code in (grpc.StatusCode.CANCELLED, grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN):

            def make(code: grpc.StatusCode = code) -> dict[str, Any]:
                calls = itertools.count(1)

                def breaks_once(request: api.AnalyzeBatchRequest, context: Context) -> api.AnalyzeBatchResponse:
                    if next(calls) == 2:
                        context.abort(code, "the stream was reset")
                    return answer_batch(request, context)

                return {"batch": breaks_once}

            def test(client: SentimentClient, server: ScriptedServer) -> None:
                outcomes = list(client.analyze_all(of_lengths(9), batch_size=3, concurrency=1))
                self.assertEqual(scores(outcomes), list(range(1, 10)))
                self.assertEqual(server.batches[1], server.batches[2])
                self.assertEqual(len(server.batches), 4)

            self.each(test, make=make)

    def test_a_call_that_the_server_has_failed_is_not(self) -> None:
        for code, reason in [(grpc.StatusCode.INTERNAL, "BUG"), (LATE, "DEADLINE")]:

            def fails(
                request: api.AnalyzeBatchRequest,
                context: Context,
                status: Any = refusal(code, reason),  # noqa: B008
            ) -> api.AnalyzeBatchResponse:
                end(context, status)
                raise AssertionError

            def test(client: SentimentClient, server: ScriptedServer, reason: str = reason) -> None:
                with self.assertRaisesRegex(SentimentError, f"{reason}: because of {reason}"):
                    list(client.analyze_all(of_lengths(3)))
                self.assertEqual(len(server.batches), 1)

            self.each(test, batch=fails)

    def test_a_call_that_is_not_answered_in_its_time_is_made_again(self) -> None:
        def make() -> dict[str, Any]:
            calls = itertools.count(1)

            def hangs_once(request: api.AnalyzeBatchRequest, context: Context) -> api.AnalyzeBatchResponse:
                if next(calls) == 1:
                    hang(context)
                return answer_batch(request, context)

            return {"batch": hangs_once}

        def test(client: SentimentClient, server: ScriptedServer) -> None:
            self.assertEqual(scores(list(client.analyze_all(of_lengths(5), timeout=1))), [1, 2, 3, 4, 5])
            self.assertGreaterEqual(len(server.batches), 2)

        self.each(test, make=make)

    def test_a_client_that_is_closed_makes_no_call_again(self) -> None:
        def test(client: SentimentClient, server: ScriptedServer) -> None:
            def close() -> None:
                while not server.batches:
                    time.sleep(0.01)
                client.close()

            closer = threading.Thread(target=close, daemon=True)
            closer.start()
            with self.assertRaisesRegex(SentimentError, "^CANCELLED: the client is closed$"):
                list(client.analyze_all(of_lengths(3), give_up_after=5))
            closer.join()
            self.assertEqual(len(server.batches), 1)
            with self.assertRaisesRegex(SentimentError, "^CANCELLED: the client is closed$"):
                list(client.analyze_all(of_lengths(3), give_up_after=5))

        self.each(test, batch=lambda request, context: hang(context))

    def test_a_text_over_the_limit_of_a_message_fails_alone(self) -> None:
        ends: list[tuple[str, Callable[[Context], None]]] = [
            ("RESOURCE_EXHAUSTED", lambda context: context.abort(EXHAUSTED, "Received message larger than max (2000 vs 1000)")),
            ("BODY_TOO_LARGE", lambda context: end(context, refusal(EXHAUSTED, "BODY_TOO_LARGE"))),
        ]
        for reason, end_call in ends:

            def limited(
                request: api.AnalyzeBatchRequest, context: Context, end_call: Callable[[Context], None] = end_call
            ) -> api.AnalyzeBatchResponse:
                if request.ByteSize() > 1000:
                    end_call(context)
                return answer_batch(request, context)

            def test(client: SentimentClient, server: ScriptedServer, reason: str = reason) -> None:
                for large in [{0}, {7}, {9}, {2, 3}, set(range(10))]:
                    texts = ["y" * 1100 if place in large else "x" * (place + 1) for place in range(10)]
                    outcomes = list(client.analyze_all(texts, give_up_after=5))
                    self.assertEqual(reasons(outcomes), [reason if place in large else None for place in range(10)])
                    small = [place for place in range(10) if place not in large]
                    self.assertEqual(scores([outcomes[place] for place in small]), [place + 1 for place in small])

            self.each(test, batch=limited)

    def test_texts_that_are_too_large_together_are_asked_in_parts(self) -> None:
        def limited(request: api.AnalyzeBatchRequest, context: Context) -> api.AnalyzeBatchResponse:
            if request.ByteSize() > 1000:
                context.abort(EXHAUSTED, "Received message larger than max (2000 vs 1000)")
            return answer_batch(request, context)

        def test(client: SentimentClient, server: ScriptedServer) -> None:
            self.assertEqual(scores(list(client.analyze_all(["x" * 200] * 10))), [200] * 10)
            self.assertEqual([len(batch) for batch in server.batches], [10, 5, 3, 3, 3, 1])

        self.each(test, batch=limited)

    def test_a_single_call_says_of_each_text_what_the_server_does(self) -> None:
        def refuses_one(request: api.AnalyzeBatchRequest, context: Context) -> api.AnalyzeBatchResponse:
            response = answer_batch(request, context)
            response.results[1].error.CopyFrom(refusal(UNAVAILABLE, "BACKEND_DOWN", 10))
            return response

        def test(client: SentimentClient, server: ScriptedServer) -> None:
            outcomes = client.analyze_batch(of_lengths(3))
            self.assertEqual(reasons(outcomes), [None, "BACKEND_DOWN", None])
            self.assertEqual(len(server.batches), 1)

        self.each(test, batch=refuses_one)

    def test_answers_that_are_not_as_many_as_texts_are_an_error(self) -> None:
        def forgets_one(request: api.AnalyzeBatchRequest, context: Context) -> api.AnalyzeBatchResponse:
            return api.AnalyzeBatchResponse(results=answer_batch(request, context).results[1:])

        def test(client: SentimentClient, server: ScriptedServer) -> None:
            for ask in (client.analyze_batch, client.analyze_all):
                with self.assertRaisesRegex(SentimentError, "INTERNAL: 2 answers came to 3 texts"):
                    list(ask(of_lengths(3)))

        self.each(test, batch=forgets_one)

    def test_answers_stay_in_order_and_no_more_calls_are_under_way_than_may_be(self) -> None:
        most, now, lock = 0, 0, threading.Lock()

        def slow_at_first(request: api.AnalyzeBatchRequest, context: Context) -> api.AnalyzeBatchResponse:
            nonlocal most, now
            with lock:
                now += 1
                most = max(most, now)
            time.sleep(0.2 if len(request.texts[0]) % 2 else 0.01)
            with lock:
                now -= 1
            return answer_batch(request, context)

        def test(client: SentimentClient, server: ScriptedServer) -> None:
            outcomes = list(client.analyze_all(of_lengths(30), batch_size=1, concurrency=3))
            self.assertEqual(scores(outcomes), list(range(1, 31)))
            self.assertEqual(most, 3)

        self.each(test, batch=slow_at_first)

    def test_no_call_has_more_characters_than_one_message_may(self) -> None:
        def test(client: SentimentClient, server: ScriptedServer) -> None:
            texts = ["x" * 150_000, "y" * 300_000, "z" * 500_000, "a", "b", "c"]
            outcomes = list(client.analyze_all(texts, batch_size=3, concurrency=1))
            self.assertEqual(scores(outcomes), [150_000, 300_000, 500_000, 1, 1, 1])
            self.assertEqual([len(batch) for batch in server.batches], [1, 1, 1, 3])

        self.each(test)

    def test_gives_up_when_no_call_is_answered_in_its_time(self) -> None:
        def test(client: SentimentClient, server: ScriptedServer) -> None:
            with self.assertRaisesRegex(SentimentError, "nothing was answered for 1 s") as raised:
                list(client.analyze_all(of_lengths(3), timeout=0.3, give_up_after=1))
            self.assertEqual(raised.exception.code, LATE)
            self.assertGreater(len(server.batches), 1)

        self.each(test, batch=lambda request, context: hang(context))

    def test_gives_up_when_nothing_is_answered(self) -> None:
        def refuses(request: api.AnalyzeBatchRequest, context: Context) -> api.AnalyzeBatchResponse:
            end(context, refusal(EXHAUSTED, "OVERLOADED", 100))
            raise AssertionError

        def test(client: SentimentClient, server: ScriptedServer) -> None:
            started_at = time.monotonic()
            said = "OVERLOADED: nothing was answered for 1 s; the last that was said: because of OVERLOADED"
            with self.assertRaisesRegex(SentimentError, said) as raised:
                list(client.analyze_all(of_lengths(100), give_up_after=1))
            self.assertEqual(raised.exception.code, EXHAUSTED)
            self.assertGreaterEqual(time.monotonic() - started_at, 1)
            self.assertGreater(len(server.batches), 8)

        self.each(test, batch=refuses)

    def test_a_refusal_that_stays_is_raised_after_what_was_answered(self) -> None:
        def refuses_the_third(request: api.AnalyzeBatchRequest, context: Context) -> api.AnalyzeBatchResponse:
            if request.texts[0] == "xxx":
                end(context, refusal(grpc.StatusCode.UNAUTHENTICATED, "KEY_UNKNOWN"))
            return answer_batch(request, context)

        def test(client: SentimentClient, server: ScriptedServer) -> None:
            taken: list[Outcome] = []
            with self.assertRaisesRegex(SentimentError, "KEY_UNKNOWN"):
                for outcome in client.analyze_all(of_lengths(9), batch_size=1):
                    taken.append(outcome)
            self.assertEqual(scores(taken), [1, 2])

        self.each(test, batch=refuses_the_third)

    def test_whoever_stops_early_cancels_what_is_under_way(self) -> None:
        cancelled = threading.Semaphore(0)

        def answers_the_first(request: api.AnalyzeBatchRequest, context: Context) -> api.AnalyzeBatchResponse:
            if request.texts[0] != "x":
                context.add_callback(cancelled.release)
                while context.is_active():
                    time.sleep(0.01)
            return answer_batch(request, context)

        def test(client: SentimentClient, server: ScriptedServer) -> None:
            outcomes = client.analyze_all(of_lengths(100), batch_size=1)
            self.assertEqual(scores([next(outcomes)]), [1])
            deadline = time.monotonic() + 10
            while len(server.batches) < 4 and time.monotonic() < deadline:
                time.sleep(0.01)
            outcomes.close()
            for _ in range(3):
                self.assertTrue(cancelled.acquire(timeout=5))

        self.each(test, batch=answers_the_first)

    def test_what_was_read_before_the_texts_failed_is_answered(self) -> None:
        def texts() -> Iterator[str]:
            yield from of_lengths(5)
            raise OSError("the disk is gone")

        def test(client: SentimentClient, server: ScriptedServer) -> None:
            for helper in (client.analyze_all, client.analyze_stream):
                taken: list[Outcome] = []
                with self.assertRaisesRegex(OSError, "the disk is gone"):
                    for outcome in helper(texts()):
                        taken.append(outcome)
                self.assertEqual(scores(taken), [1, 2, 3, 4, 5])

        self.each(test)

    def test_arguments_that_cannot_be_meant_are_refused_at_once(self) -> None:
        def test(client: SentimentClient, server: ScriptedServer) -> None:
            for named, said in [
                ({"batch_size": 0}, "batch_size must be a whole number, at least 1; it is 0"),
                ({"concurrency": 1.5}, "concurrency must be"),
                ({"give_up_after": 0}, "give_up_after must be over 0 seconds"),
                ({"tier": "best"}, "tier must be one of"),
            ]:
                with self.assertRaisesRegex(ValueError, said):
                    client.analyze_all(["a"], **named)  # type: ignore[arg-type]
            with self.assertRaisesRegex(ValueError, "max_under_way must be"):
                client.analyze_stream(["a"], max_under_way=0)
            self.assertEqual(list(client.analyze_all([])), [])
            self.assertEqual(list(client.analyze_stream([])), [])
            self.assertEqual(server.metadata, [])

        # A generator of the adapter's own would check at its first step.
        with serving() as server:
            test(CLIENTS["threads"](server.address), server)


if __name__ == "__main__":
    unittest.main()
