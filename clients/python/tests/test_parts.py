"""Parts that talk to nobody."""

from __future__ import annotations

import unittest

import grpc

from sentiment_client import SentimentError
from sentiment_client.batch import Cutter
from sentiment_client.gen import sentiment_pb2 as api
from sentiment_client.patience import Patience, Tries
from sentiment_client.questions import question_of
from sentiment_client.stream_state import StreamState

OVERLOADED = SentimentError(grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED", "busy")


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Rests(unittest.TestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.patience = Patience(60, self.clock)
        self.tries = Tries(self.patience)

    def assert_rest(self, seconds: float, rest: float) -> None:
        self.assertGreaterEqual(rest, seconds)
        self.assertLessEqual(rest, seconds * 1.2)

    def test_double_up_to_five_seconds_and_begin_anew_after_an_answer(self) -> None:
        for seconds in (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0):
            self.assert_rest(seconds, self.tries.rest(OVERLOADED))
        self.tries.answered()
        self.assert_rest(0.1, self.tries.rest(OVERLOADED))

    def test_are_what_the_server_asks_for(self) -> None:
        told = SentimentError(OVERLOADED.code, "OVERLOADED", "busy", 7.5)
        self.assert_rest(7.5, self.tries.rest(told))

    def test_do_not_grow_by_what_was_refused_at_once(self) -> None:
        self.tries.rest(OVERLOADED)
        for _ in range(10):
            self.assert_rest(0.1, self.tries.rest(OVERLOADED, again=False))

    def test_end_with_patience_and_answers_of_others_renew_it(self) -> None:
        told = SentimentError(OVERLOADED.code, "OVERLOADED", "busy", 100)
        self.assertEqual(self.tries.rest(told), 60)
        self.clock.now += 59
        self.patience.answered()
        self.clock.now += 59
        self.assertEqual(self.tries.rest(told), 1)
        self.clock.now += 1
        with self.assertRaisesRegex(SentimentError, "OVERLOADED: nothing was answered for 60 s"):
            self.tries.rest(told)

    def test_begin_with_the_question_not_with_the_helper(self) -> None:
        self.clock.now += 1000
        self.assert_rest(0.1, Tries(self.patience).rest(OVERLOADED))


class GivingUp(unittest.TestCase):
    def test_blames_nothing_that_was_said_before_the_last_answer(self) -> None:
        clock = Clock()
        state = StreamState(question_of(None, None), Patience(60, clock), ordered=True)
        state.add("a")
        state.add("b")
        state.requests()
        state.broke(OVERLOADED)
        clock.now += 1
        self.assertEqual(len(state.requests()), 2)
        state.take(api.AnalyzeStreamResponse(id="0", sentiment=api.Sentiment()))
        clock.now += 60
        with self.assertRaisesRegex(SentimentError, "^UNAVAILABLE: nothing was answered for 60 s; .* nothing at all$"):
            state.wakes_in()


class Cuts(unittest.TestCase):
    def test_where_a_batch_is_full_or_a_message_would_be(self) -> None:
        cutter = Cutter(3)
        full = [batch for batch in map(cutter.add, ["a", "b", "c", "d", "x" * 399_999, "e", "f"]) if batch is not None]
        self.assertEqual([[text[0] for text in batch] for batch in full], [["a", "b", "c"], ["d", "x"]])
        self.assertEqual(cutter.rest(), ["e", "f"])
        self.assertEqual(cutter.rest(), [])

    def test_one_text_a_batch(self) -> None:
        cutter = Cutter(1)
        self.assertEqual([cutter.add("x" * 500_000), cutter.add("y")], [["x" * 500_000], ["y"]])


class Temporary(unittest.TestCase):
    def test_is_what_another_try_may_help(self) -> None:
        exhausted, unavailable = grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.UNAVAILABLE
        for code, reason, message, expected in [
            (unavailable, "DRAINING", "", True),
            (unavailable, "UNAVAILABLE", "connection refused", True),
            (exhausted, "RATE_LIMITED", "", True),
            (exhausted, "METADATA_TOO_LARGE", "", False),
            (exhausted, "RESOURCE_EXHAUSTED", "Received message larger than max (5 vs 4)", False),
            (exhausted, "RESOURCE_EXHAUSTED", "Received message that decompresses to a size larger than 4", False),
            (exhausted, "BODY_TOO_LARGE", "", False),
            (exhausted, "OVERLOADED", "The queue is larger than it may be", True),
            (grpc.StatusCode.INTERNAL, "BUG", "", False),
        ]:
            with self.subTest(reason):
                self.assertEqual(SentimentError(code, reason, message).temporary, expected)


if __name__ == "__main__":
    unittest.main()
