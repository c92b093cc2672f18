"""Each call and each error, of both clients, against the real server."""

from __future__ import annotations

import math
import os
import tempfile
import time
import unittest
from collections.abc import Callable
from typing import ClassVar

import grpc
from both import CLIENTS
from real_server import RealServer, free_port, new_key
from texts import answered, reasons

from sentiment_client import (
    AnalyzeOptions,
    CacheTier,
    FieldViolation,
    Label,
    LongText,
    Reason,
    SentimentClient,
    SentimentError,
    Tier,
)

INVALID = grpc.StatusCode.INVALID_ARGUMENT
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED
DENIED = grpc.StatusCode.PERMISSION_DENIED
UNAUTHENTICATED = grpc.StatusCode.UNAUTHENTICATED


class Contract:
    """Not collected by itself: the classes below are."""

    class Calls(unittest.TestCase):
        kind: ClassVar[str]
        server: ClassVar[RealServer]
        client: ClassVar[SentimentClient]

        @classmethod
        def setUpClass(cls) -> None:
            cls.server = cls.enterClassContext(RealServer())
            cls.client = cls.enterClassContext(CLIENTS[cls.kind](cls.server.address))

        def refused(self, code: grpc.StatusCode, reason: str) -> _Refused:
            return _Refused(self, code, reason)

        def test_says_what_a_text_means_and_where_the_time_went(self) -> None:
            response = self.client.analyze("I love this product!", options=AnalyzeOptions(skip_cache=True))
            sentiment = response.sentiment
            self.assertEqual((sentiment.label, sentiment.tier), (Label.LABEL_POSITIVE, Tier.TIER_FAST))
            self.assertGreater(sentiment.score, 0.5)
            self.assertTrue(math.isclose(sentiment.confidence, sentiment.probabilities.positive, abs_tol=0.2))
            self.assertEqual(response.timing.batch_size, 1)
            self.assertGreater(response.timing.total.ToNanoseconds(), 0)

        def test_asks_the_tier_that_is_named(self) -> None:
            self.assertEqual(self.client.analyze("Fine.", tier="balanced").sentiment.tier, Tier.TIER_BALANCED)
            with self.assertRaisesRegex(ValueError, "one of fast, balanced, accurate, auto"):
                self.client.analyze("Fine.", tier="quick")  # type: ignore[arg-type]

        def test_options_reach_the_server(self) -> None:
            options = AnalyzeOptions(sentences=True, explain=True)
            text = "I love the screen. I hate the battery."
            sentiment = self.client.analyze(text, options=options).sentiment
            spans = [text[sentence.begin : sentence.end].strip() for sentence in sentiment.sentences]
            self.assertEqual(spans, ["I love the screen.", "I hate the battery."])
            self.assertTrue(sentiment.mixed)
            self.assertIn("love", [word.token for word in sentiment.attributions])
            cached = self.client.analyze(text, options=options).sentiment
            self.assertEqual(cached.cache, CacheTier.CACHE_TIER_MEMORY)

        def test_a_bad_text_in_a_batch_fails_alone(self) -> None:
            texts = ["good", " \n", "x" * 10_001, "x" * 1_000_001, "half a pair \ud800", "bad"]
            outcomes = self.client.analyze_batch(texts)
            said = [None, "TEXT_EMPTY", "TEXT_TOO_LONG", "TEXT_TOO_LONG", "TEXT_NOT_UTF8", None]
            self.assertEqual(reasons(outcomes), said)
            labels = [answered(outcomes[0]).label, answered(outcomes[-1]).label]
            self.assertEqual(labels, [Label.LABEL_POSITIVE, Label.LABEL_NEGATIVE])
            error = outcomes[1]
            assert isinstance(error, SentimentError)
            self.assertEqual([violation.field for violation in error.field_violations], ["texts[1]"])

        def test_a_batch_without_a_text_that_can_be_sent_is_answered_here(self) -> None:
            self.assertEqual(reasons(self.client.analyze_batch(["\ud800"])), ["TEXT_NOT_UTF8"])

        def test_lists_the_models(self) -> None:
            models = self.client.models()
            self.assertEqual([model.name for model in models[:1]], ["sentiment_fast"])
            self.assertEqual([model.tier for model in models if model.default_tier], [Tier.TIER_FAST])

        def test_says_what_is_wrong_with_a_text(self) -> None:
            with self.refused(INVALID, Reason.TEXT_EMPTY) as refused:
                self.client.analyze("")
            self.assertIsInstance(refused.error.field_violations[0], FieldViolation)
            self.assertEqual(refused.error.field_violations[0].field, "text")
            self.assertEqual((refused.error.retry_after, refused.error.temporary), (None, False))
            with self.refused(INVALID, Reason.TEXT_TOO_LONG):
                self.client.analyze("x" * 10_001)
            with self.refused(INVALID, Reason.TEXT_TOO_LONG):
                self.client.analyze("good " * 600, options=AnalyzeOptions(long_text=LongText.LONG_TEXT_REJECT))
            with self.refused(INVALID, Reason.TEXT_NOT_UTF8):
                self.client.analyze("\udfff")

        def test_says_what_is_wrong_with_a_request(self) -> None:
            with self.refused(INVALID, Reason.BATCH_TOO_LARGE):
                self.client.analyze_batch(["fine"] * 101)
            with self.refused(INVALID, Reason.BATCH_EMPTY):
                self.client.analyze_batch([])
            unknown = AnalyzeOptions()
            unknown.MergeFromString(b"\x20\x63")
            with self.refused(INVALID, Reason.OPTION_UNKNOWN):
                self.client.analyze("fine", options=unknown)
            with self.assertRaisesRegex(TypeError, "several"):
                self.client.analyze_batch("fine")

        def test_no_call_takes_longer_than_its_deadline(self) -> None:
            with self.refused(grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED") as refused:
                self.client.analyze("good " * 1900, tier="accurate", options=AnalyzeOptions(explain=True), timeout=0.05)
            self.assertTrue(refused.error.from_grpc)
            with CLIENTS[self.kind](self.server.address, timeout=0.05) as client:
                with self.refused(grpc.StatusCode.DEADLINE_EXCEEDED, "DEADLINE_EXCEEDED"):
                    client.analyze("bad " * 1900, tier="accurate", options=AnalyzeOptions(explain=True))

        def test_a_server_that_is_not_there_is_unavailable(self) -> None:
            with CLIENTS[self.kind](f"127.0.0.1:{free_port()}", timeout=20) as client:
                with self.refused(grpc.StatusCode.UNAVAILABLE, "UNAVAILABLE") as refused:
                    client.analyze("fine")
            self.assertTrue(refused.error.temporary)

        def test_keys_are_sent_and_refused(self) -> None:
            folder = self.enterContext(tempfile.TemporaryDirectory())
            file = os.path.join(folder, "keys.json")
            good = new_key(file, "--name", "good")
            admin = new_key(file, "--name", "admin", "--rights", "admin")
            server = self.enterContext(RealServer(API_KEYS_FILE=file))
            for key, code, reason in [
                (None, UNAUTHENTICATED, Reason.KEY_MISSING),
                ("sap_wrong", UNAUTHENTICATED, Reason.KEY_UNKNOWN),
                (admin, DENIED, Reason.NOT_ALLOWED),
                ("x" * 17_000, EXHAUSTED, Reason.METADATA_TOO_LARGE),
            ]:
                with self.subTest(reason), CLIENTS[self.kind](server.address, api_key=key) as client:
                    with self.refused(code, reason) as refused:
                        client.analyze("fine")
                    self.assertFalse(refused.error.temporary)
                    with self.refused(code, reason):
                        list(client.analyze_all(["fine"]))
                    with self.refused(code, reason):
                        list(client.analyze_stream(["fine"]))
            with CLIENTS[self.kind](server.address, api_key=good) as client:
                self.assertEqual(client.analyze("good").sentiment.label, Label.LABEL_POSITIVE)
                self.assertEqual(reasons(list(client.analyze_stream(["good"]))), [None])

        def test_a_quota_says_when_to_come_back_and_the_batch_helper_does(self) -> None:
            server = self.enterContext(RealServer(TOKENS_PER_MINUTE="1200"))
            client = self.enterContext(CLIENTS[self.kind](server.address))
            started_at = time.monotonic()
            texts = [f"It was a good film of {place} minutes, " + "and fine " * 20 for place in range(30)]
            self.assertEqual(reasons(list(client.analyze_all(texts, batch_size=8))), [None] * 30)
            self.assertGreater(time.monotonic() - started_at, 2)
            with self.refused(EXHAUSTED, Reason.RATE_LIMITED) as refused:
                for place in range(100):
                    client.analyze(f"{place} bad words " + "and poor " * 200)
            self.assertGreater(refused.error.retry_after or 0, 0)
            self.assertTrue(refused.error.temporary)

        def test_a_text_over_the_limit_of_a_message_fails_alone_by_the_helpers(self) -> None:
            # Then a message may have 705,536 bytes.
            server = self.enterContext(RealServer(MAX_BATCH_SIZE="16"))
            client = self.enterContext(CLIENTS[self.kind](server.address))
            # The first has too many characters for a call with others; the second has not.
            texts = ["good", "x" * 800_000, "bad", "😀" * 200_000, "fine"]
            for helper in (client.analyze_all, client.analyze_stream):
                outcomes = list(helper(texts, give_up_after=10))
                self.assertEqual(reasons(outcomes), [None, "RESOURCE_EXHAUSTED", None, "RESOURCE_EXHAUSTED", None])
                error = outcomes[1]
                assert isinstance(error, SentimentError)
                self.assertFalse(error.temporary)

        def test_a_closed_client_says_so(self) -> None:
            with CLIENTS[self.kind](self.server.address) as client:
                client.analyze("fine")
                client.close()
                client.close()
                asks: list[Callable[[], object]] = [
                    lambda: client.analyze("fine"),
                    lambda: client.models(),
                    lambda: list(client.analyze_all(["fine"])),
                    lambda: list(client.analyze_stream(["fine"])),
                ]
                for ask in asks:
                    with self.refused(grpc.StatusCode.CANCELLED, "CANCELLED"):
                        ask()


class _Refused:
    """A block that must end with that error."""

    error: SentimentError

    def __init__(self, test: unittest.TestCase, code: grpc.StatusCode, reason: str) -> None:
        self._test, self._said = test, (code, reason)

    def __enter__(self) -> _Refused:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        if not isinstance(error, SentimentError):
            self._test.assertIsNotNone(error, f"not refused with {self._said[1]}")
            return False
        self._test.assertEqual((error.code, error.reason), self._said)
        self.error = error
        return True


class Threads(Contract.Calls):
    kind = "threads"


class Asyncio(Contract.Calls):
    kind = "asyncio"


if __name__ == "__main__":
    unittest.main()
