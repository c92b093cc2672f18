"""analyze_stream and analyze_unordered, of both clients, against a server that misbehaves in ways that are set."""

from __future__ import annotations

import itertools
import threading
import time
import unittest
from collections.abc import Callable, Iterator
from typing import Any

import grpc
from each_client import EachClient
from scripted_server import Context, ScriptedServer, answer, answer_stream, end, refusal
from texts import of_lengths, reasons, scores

from sentiment_client import Outcome, SentimentClient, SentimentError
from sentiment_client.gen import sentiment_pb2 as api

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED
Requests = Iterator[api.AnalyzeStreamRequest]
Responses = Iterator[api.AnalyzeStreamResponse]


def breaks_after(count: int, code: grpc.StatusCode, reason: str) -> Any:
    def script(requests: Requests, context: Context) -> Responses:
        for _ in range(count):
            yield answer(next(requests))
        end(context, refusal(code, reason, 10))

    return script


class Streams(EachClient):
    def test_hands_out_in_order_what_comes_in_any(self) -> None:
        def backwards(requests: Requests, context: Context) -> Responses:
            held = [next(requests) for _ in range(20)]
            yield from map(answer, reversed(held))

        def test(client: SentimentClient, server: ScriptedServer) -> None:
            self.assertEqual(scores(list(client.analyze_stream(of_lengths(20)))), list(range(1, 21)))
            unordered = list(client.analyze_unordered(of_lengths(20)))
            self.assertEqual([place for place, _ in unordered], list(reversed(range(20))))
            self.assertEqual(scores([outcome for _, outcome in unordered]), list(reversed(range(1, 21))))

        self.each(test, streams=[backwards])

    def test_asks_only_what_is_unanswered_again_when_a_stream_breaks(self) -> None:
        for code, reason in [
            (UNAVAILABLE, "DRAINING"),
            (EXHAUSTED, "OVERLOADED"),
            (grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE"),
        ]:

            def test(client: SentimentClient, server: ScriptedServer) -> None:
                texts = of_lengths(30)
                self.assertEqual(scores(list(client.analyze_stream(texts))), list(range(1, 31)))
                self.assertEqual(len(server.streamed), 2)
                self.assertEqual(server.streamed[1], texts[7:])

            self.each(test, streams=[breaks_after(7, code, reason), answer_stream])

    def test_goes_on_after_a_stream_that_was_reset_or_ended_early(self) -> None:
        def reset(requests: Requests, context: Context) -> Responses:
            yield answer(next(requests))
            context.abort(grpc.StatusCode.INTERNAL, "RST_STREAM with code 2")

        def ends(requests: Requests, context: Context) -> Responses:
            yield answer(next(requests))

        def test(client: SentimentClient, server: ScriptedServer) -> None:
            self.assertEqual(scores(list(client.analyze_stream(of_lengths(9)))), list(range(1, 10)))
            self.assertEqual(len(server.streamed), 3)

        self.each(test, streams=[reset, ends, answer_stream])

    def test_a_text_over_the_limit_of_a_message_fails_alone(self) -> None:
        ends: list[tuple[str, Callable[[Context], None]]] = [
            ("RESOURCE_EXHAUSTED", lambda context: context.abort(EXHAUSTED, "Received message larger than max (100 vs 20)")),
            ("BODY_TOO_LARGE", lambda context: end(context, refusal(EXHAUSTED, "BODY_TOO_LARGE"))),
        ]
        for reason, end_stream in ends:

            def limited(requests: Requests, context: Context, end_stream: Callable[[Context], None] = end_stream) -> Responses:
                for request in requests:
                    if len(request.text.encode()) > 20:
                        end_stream(context)
                    yield answer(request)

            def test(client: SentimentClient, server: ScriptedServer, reason: str = reason) -> None:
                # The one that takes more bytes has fewer characters.
                texts = [*of_lengths(5), "y" * 30, "😀" * 10, *of_lengths(5)]
                outcomes = list(client.analyze_stream(texts, give_up_after=5))
                self.assertEqual(reasons(outcomes), [*[None] * 5, reason, reason, *[None] * 5])
                self.assertEqual(scores(outcomes[:5] + outcomes[7:]), [1, 2, 3, 4, 5] * 2)

            self.each(test, streams=[limited])

    def test_opens_a_new_stream_when_one_ended_while_it_was_quiet(self) -> None:
        ended = threading.Event()

        def quiet(requests: Requests, context: Context) -> Responses:
            yield answer(next(requests))
            ended.set()
            end(context, refusal(grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE"))

        def texts() -> Iterator[str]:
            yield "a"
            ended.wait(10)
            time.sleep(0.3)
            yield "bb"

        def test(client: SentimentClient, server: ScriptedServer) -> None:
            ended.clear()
            self.assertEqual(scores(list(client.analyze_stream(texts()))), [1, 2])
            self.assertEqual(server.streamed, [["a"], ["bb"]])

        self.each(test, streams=[quiet, answer_stream])

    def test_asks_a_refused_text_again_on_the_same_stream_after_the_time_told(self) -> None:
        at: list[float] = []

        def refuses_once(requests: Requests, context: Context) -> Responses:
            for place, request in enumerate(requests):
                at.append(time.monotonic())
                error = refusal(EXHAUSTED, "OVERLOADED", 400)
                yield api.AnalyzeStreamResponse(id=request.id, error=error) if place == 0 else answer(request)

        def test(client: SentimentClient, server: ScriptedServer) -> None:
            at.clear()
            self.assertEqual(scores(list(client.analyze_stream(["abc"]))), [3])
            self.assertEqual(server.streamed, [["abc", "abc"]])
            self.assertGreaterEqual(at[1] - at[0], 0.4)

        self.each(test, streams=[refuses_once])

    def test_an_answer_comes_while_the_next_text_is_waited_for(self) -> None:
        def test(client: SentimentClient, server: ScriptedServer) -> None:
            answered = threading.Event()

            def texts() -> Iterator[str]:
                yield "a"
                yield "bb" if answered.wait(10) else "it was not answered before"

            said = []
            for outcome in client.analyze_stream(texts()):
                said.append(outcome)
                answered.set()
            self.assertEqual(scores(said), [1, 2])

        self.each(test)

    def test_has_no_more_under_way_than_the_limit(self) -> None:
        arrived: list[api.AnalyzeStreamRequest] = []
        most: list[int] = []

        def held(requests: Requests, context: Context) -> Responses:
            arrived.clear()
            # Not at once: it takes one after the other, as they come.
            reader = threading.Thread(target=arrived.extend, args=(requests,))
            reader.start()
            for place in range(50):
                while len(arrived) < min(place + 10, 50):
                    time.sleep(0.001)
                # Time for one too many to arrive.
                time.sleep(0.2 if place == 0 else 0)
                most.append(len(arrived) - place)
                yield answer(arrived[place])
            reader.join()

        def test(client: SentimentClient, server: ScriptedServer) -> None:
            most.clear()
            outcomes = client.analyze_stream(of_lengths(50), max_under_way=10)
            self.assertEqual(scores(list(outcomes)), list(range(1, 51)))
            self.assertEqual(max(most), 10)

        self.each(test, streams=[held])

    def test_fails_at_once_where_another_try_cannot_help(self) -> None:
        def revoked(requests: Requests, context: Context) -> Responses:
            for _ in range(2):
                yield answer(next(requests))
            next(requests)
            end(context, refusal(grpc.StatusCode.UNAUTHENTICATED, "KEY_UNKNOWN"))

        def test(client: SentimentClient, server: ScriptedServer) -> None:
            taken: list[Outcome] = []
            with self.assertRaisesRegex(SentimentError, "KEY_UNKNOWN: because of KEY_UNKNOWN"):
                for outcome in client.analyze_stream(of_lengths(5), max_under_way=1):
                    taken.append(outcome)
            self.assertEqual((scores(taken), len(server.streamed)), ([1, 2], 1))

        self.each(test, streams=[revoked])

    def test_gives_up_when_nothing_is_answered(self) -> None:
        def silent(requests: Requests, context: Context) -> Responses:
            while context.is_active():
                time.sleep(0.01)
            yield from ()

        scripts = [
            (silent, "nothing was answered for 1 s; the last that was said: nothing at all"),
            (
                breaks_after(0, UNAVAILABLE, "DRAINING"),
                "DRAINING: nothing was answered for 1 s; .* because of DRAINING",
            ),
        ]
        for script, said in scripts:

            def test(client: SentimentClient, server: ScriptedServer, said: str = said) -> None:
                started_at = time.monotonic()
                with self.assertRaisesRegex(SentimentError, said):
                    list(client.analyze_stream(of_lengths(5), give_up_after=1))
                self.assertGreaterEqual(time.monotonic() - started_at, 1)

            self.each(test, streams=[script])

    def test_time_that_the_taker_takes_is_not_the_servers(self) -> None:
        def test(client: SentimentClient, server: ScriptedServer) -> None:
            taken = []
            for outcome in client.analyze_stream(of_lengths(4), max_under_way=2, give_up_after=0.5):
                taken.append(outcome)
                time.sleep(0.7)
            self.assertEqual(scores(taken), [1, 2, 3, 4])

        self.each(test, streams=[breaks_after(2, UNAVAILABLE, "DRAINING"), answer_stream])

    def test_whoever_stops_early_cancels_the_stream(self) -> None:
        cancelled = threading.Event()

        def noted(requests: Requests, context: Context) -> Responses:
            context.add_callback(cancelled.set)
            return map(answer, requests)

        def test(client: SentimentClient, server: ScriptedServer) -> None:
            cancelled.clear()
            outcomes = client.analyze_stream(itertools.repeat("abc"))
            self.assertEqual(scores(list(itertools.islice(outcomes, 5))), [3] * 5)
            outcomes.close()
            self.assertTrue(cancelled.wait(5))

        self.each(test, streams=[noted])


if __name__ == "__main__":
    unittest.main()
