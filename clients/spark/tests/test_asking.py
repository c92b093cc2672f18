"""The asking against a server that misbehaves in ways that are set: no Spark, no model."""

from __future__ import annotations

import subprocess
import tempfile
import time
import unittest
from collections.abc import Iterator
from pathlib import Path

import grpc
import pyarrow as pa
from scripted_server import ScriptedServer, answer, end, refusal, serving

from sentiment_spark import Limits, SentimentError, ServerUnavailable, Tls
from sentiment_spark.columns import fields
from sentiment_spark.frame import per_task
from sentiment_spark.gen import sentiment_pb2 as api
from sentiment_spark.settings import Settings

UNAVAILABLE = grpc.StatusCode.UNAVAILABLE
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED


def all_answered(requests, context):
    yield from map(answer, requests)


def breaks_after(count: int, code: grpc.StatusCode, reason: str, pushback_ms: int | None = None):
    def script(requests, context):
        for _ in range(count):
            yield answer(next(requests))
        end(context, code, refusal(code, reason), pushback_ms)

    return script


def batch_of(texts: list) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"n": list(range(len(texts))), "text": pa.array(texts, pa.string())})


def ask(server: ScriptedServer, texts: list, **settings) -> pa.RecordBatch:
    task = per_task(Settings(server.target, **settings), 1)
    batch = next(task(iter([batch_of(texts)])))
    return pa.RecordBatch.from_arrays(batch.columns, ["n", "text", *(field.name for field in fields(""))])


def scores(batch: pa.RecordBatch) -> list:
    return batch.column("score").to_pylist()


def texts_of(count: int) -> list[str]:
    """Each of its own length, which the scripted server gives back as the score."""
    return ["x" * (place + 1) for place in range(count)]


class Answers(unittest.TestCase):
    def test_keeps_order_and_columns_when_answers_come_in_any_order(self) -> None:
        def backwards(requests, context):
            held = [next(requests) for _ in range(20)]
            yield from map(answer, reversed(held))

        with serving(backwards) as server:
            batch = ask(server, texts_of(20), tier="fast")
        self.assertEqual(scores(batch), list(range(1, 21)))
        self.assertEqual(batch.column("n").to_pylist(), list(range(20)))
        self.assertEqual(batch.column("tier").to_pylist(), ["fast"] * 20)

    def test_a_bad_text_and_no_text_fail_none_of_their_neighbours(self) -> None:
        def refuses_blank(requests, context):
            for request in requests:
                fault = refusal(grpc.StatusCode.INVALID_ARGUMENT, "TEXT_EMPTY")
                blank = api.AnalyzeStreamResponse(id=request.id, error=fault)
                yield answer(request) if request.text.strip() else blank

        not_utf8 = pa.array([b"\xff\xfe"], pa.binary()).view(pa.string())
        texts = pa.concat_arrays([pa.array(["a", " ", None, "x" * 1_000_001]), not_utf8, pa.array(["bb"])])
        with serving(refuses_blank) as server:
            batch = ask(server, texts)
            self.assertEqual(server.asked, [["a", " ", "bb"]])
        self.assertEqual(scores(batch), [1, None, None, None, None, 2])
        reasons = [None, "TEXT_EMPTY", None, "TEXT_TOO_LONG", "TEXT_NOT_UTF8", None]
        self.assertEqual(batch.column("error_reason").to_pylist(), reasons)

    def test_a_text_over_the_limit_of_a_message_fails_none_of_its_neighbours(self) -> None:
        for end_stream, reason in [
            (lambda context: context.abort(EXHAUSTED, "Received message larger than max (100 vs 20)"), "RESOURCE_EXHAUSTED"),
            (lambda context: end(context, EXHAUSTED, refusal(EXHAUSTED, "BODY_TOO_LARGE"), None), "BODY_TOO_LARGE"),
        ]:

            def limited(requests, context, end_stream=end_stream):
                for request in requests:
                    if len(request.text.encode()) > 20:
                        end_stream(context)
                    yield answer(request)

            with self.subTest(reason), serving(limited) as server:
                # The one that takes more bytes has fewer characters.
                texts = [*texts_of(5), "y" * 30, "😀" * 10, *texts_of(5)]
                batch = ask(server, texts, limits=Limits(patience_seconds=5))
                self.assertEqual(scores(batch), [1, 2, 3, 4, 5, None, None, 1, 2, 3, 4, 5])
                reasons = batch.column("error_reason").to_pylist()
                self.assertEqual(reasons, [*[None] * 5, reason, reason, *[None] * 5])
                self.assertEqual(len(server.asked), 3)

    def test_asks_nothing_for_rows_without_texts(self) -> None:
        with serving(all_answered) as server:
            self.assertEqual(scores(ask(server, [None, None])), [None, None])
            self.assertEqual(scores(ask(server, [])), [])
            self.assertEqual(server.asked, [])

    def test_reads_a_batch_only_when_the_one_before_is_answered_and_taken(self) -> None:
        read = []

        def batches() -> Iterator[pa.RecordBatch]:
            for place in range(3):
                read.append(place)
                yield batch_of(["a", "b"])

        with serving(all_answered) as server:
            task = per_task(Settings(server.target), 1)(batches())
            next(task)
            self.assertEqual(read, [0])
            next(task)
            self.assertEqual(read, [0, 1])
            task.close()

    def test_has_no_more_under_way_than_the_limit(self) -> None:
        most = 0

        def in_waves(requests, context):
            nonlocal most
            # Answers only when nothing more comes by itself.
            held = []
            for request in requests:
                held.append(request)
                most = max(most, len(held))
                if len(held) == 10:
                    yield from map(answer, held)
                    held = []

        with serving(in_waves) as server:
            batch = ask(server, texts_of(100), limits=Limits(max_under_way=10))
        self.assertEqual((scores(batch), most), (list(range(1, 101)), 10))


class Tries(unittest.TestCase):
    def test_asks_only_what_is_unanswered_again_when_a_stream_breaks(self) -> None:
        for code, reason in [(UNAVAILABLE, "DRAINING"), (EXHAUSTED, "OVERLOADED")]:
            with self.subTest(reason), serving(breaks_after(7, code, reason), all_answered) as server:
                texts = texts_of(30)
                self.assertEqual(scores(ask(server, texts)), list(range(1, 31)))
                self.assertEqual(len(server.asked), 2)
                self.assertEqual(server.asked[1], texts[7:])

    def test_asks_again_on_a_new_stream_when_one_is_reset_or_idle(self) -> None:
        def reset(code):
            def script(requests, context):
                yield answer(next(requests))
                context.abort(code, "the stream was reset")

            return script

        codes = grpc.StatusCode
        idle = breaks_after(1, codes.DEADLINE_EXCEEDED, "DEADLINE")
        for script in [reset(codes.INTERNAL), reset(codes.CANCELLED), reset(codes.UNKNOWN), idle]:
            with serving(script, all_answered) as server:
                self.assertEqual(scores(ask(server, texts_of(3))), [1, 2, 3])
                self.assertEqual(len(server.asked), 2)
        with serving(breaks_after(1, codes.INTERNAL, "BUG"), all_answered) as server:
            with self.assertRaisesRegex(SentimentError, "BUG"):
                ask(server, texts_of(3))

    def test_asks_again_on_a_new_stream_when_one_ends_early(self) -> None:
        def ends(requests, context):
            yield answer(next(requests))

        with serving(ends, all_answered) as server:
            self.assertEqual(scores(ask(server, texts_of(3))), [1, 2, 3])

    def test_asks_a_refused_text_again_on_the_same_stream_after_the_time_told(self) -> None:
        at = []

        def refuses_once(requests, context):
            for place, request in enumerate(requests):
                at.append(time.monotonic())
                if place == 0:
                    yield api.AnalyzeStreamResponse(id=request.id, error=refusal(EXHAUSTED, "OVERLOADED", 400))
                else:
                    yield answer(request)

        with serving(refuses_once) as server:
            self.assertEqual(scores(ask(server, ["abc"])), [3])
            self.assertEqual(server.asked, [["abc", "abc"]])
        self.assertGreaterEqual(at[1] - at[0], 0.39)

    def test_waits_as_long_as_the_pushback_says(self) -> None:
        started_at = time.monotonic()
        with serving(breaks_after(0, EXHAUSTED, "OVERLOADED", 500), all_answered) as server:
            ask(server, ["a"])
        self.assertGreaterEqual(time.monotonic() - started_at, 0.5)

    def test_tries_no_more_where_the_pushback_forbids_it_or_the_status_is_final(self) -> None:
        for script, reason in [
            (breaks_after(0, EXHAUSTED, "OVERLOADED", -1), "OVERLOADED"),
            (breaks_after(0, EXHAUSTED, "METADATA_TOO_LARGE"), "METADATA_TOO_LARGE"),
            (breaks_after(0, grpc.StatusCode.UNAUTHENTICATED, "KEY_UNKNOWN"), "KEY_UNKNOWN"),
        ]:
            with self.subTest(reason), serving(script) as server:
                with self.assertRaisesRegex(SentimentError, f"{reason}: .*because of {reason}"):
                    ask(server, ["a"])
                self.assertEqual(len(server.asked), 1)

    def test_gives_a_stream_up_that_falls_silent(self) -> None:
        def silent(requests, context):
            yield answer(next(requests))
            while context.is_active():
                time.sleep(0.01)

        with serving(silent, all_answered) as server:
            batch = ask(server, texts_of(5), limits=Limits(inactivity_seconds=0.3))
        self.assertEqual(scores(batch), [1, 2, 3, 4, 5])

    def test_fails_within_its_patience_when_nothing_is_answered(self) -> None:
        def refuses(requests, context):
            for request in requests:
                yield api.AnalyzeStreamResponse(id=request.id, error=refusal(EXHAUSTED, "OVERLOADED", 100))

        def silent(requests, context):
            while context.is_active():
                time.sleep(0.01)
            yield from ()

        for script, said in [(refuses, "because of OVERLOADED"), (silent, "it said nothing")]:
            with self.subTest(said), serving(script) as server:
                started_at = time.monotonic()
                with self.assertRaisesRegex(ServerUnavailable, f"no text for 1 s.*{said}"):
                    ask(server, texts_of(5), limits=Limits(patience_seconds=1))
                self.assertLess(time.monotonic() - started_at, 3)

    def test_blames_nothing_that_was_said_before_the_last_answer(self) -> None:
        def answers_one(requests, context):
            yield answer(next(requests))
            while context.is_active():
                time.sleep(0.01)

        with serving(breaks_after(0, UNAVAILABLE, "DRAINING"), answers_one) as server:
            with self.assertRaisesRegex(ServerUnavailable, "no text for 1 s; the last it said: it said nothing"):
                ask(server, texts_of(5), limits=Limits(patience_seconds=1))

    def test_fails_within_its_patience_where_nobody_listens(self) -> None:
        started_at = time.monotonic()
        with self.assertRaisesRegex(ServerUnavailable, "localhost:1 has answered no text for 1 s"):
            ask(ScriptedServer([], "localhost:1"), ["a"], limits=Limits(patience_seconds=1))
        self.assertLess(time.monotonic() - started_at, 3)


class Connections(unittest.TestCase):
    def test_sends_the_key_over_tls_to_whom_the_authority_vouches_for(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            key, certificate = self_signed(Path(folder))
        credentials = grpc.ssl_server_credentials([(key, certificate)])
        with serving(all_answered, credentials=credentials) as server:
            batch = ask(server, ["abc"], api_key="secret", tls=Tls(root_certificates=certificate))
            self.assertEqual(scores(batch), [3])
            self.assertEqual(server.metadata[0]["authorization"], "Bearer secret")
            with self.assertRaises(ServerUnavailable):
                ask(server, ["abc"], tls=Tls(), limits=Limits(patience_seconds=1))


def self_signed(folder: Path) -> tuple[bytes, bytes]:
    key, certificate = folder / "key.pem", folder / "cert.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    subprocess.run([*command.split(), "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return key.read_bytes(), certificate.read_bytes()


class Arguments(unittest.TestCase):
    def test_says_what_is_wrong_with_them(self) -> None:
        for wrong, said in [
            (lambda: Settings(""), "target must be"),
            (lambda: Settings("a:1", tier="best"), "tier must be one of default, fast"),
            (lambda: Settings("a:1", long_text="cut"), "long_text must be one of windows"),
            (lambda: Limits(max_under_way=0), "max_under_way must be"),
            (lambda: Limits(patience_seconds=float("inf")), "patience_seconds must be"),
            (lambda: Tls(certificate=b""), "together"),
        ]:
            with self.subTest(said), self.assertRaisesRegex(ValueError, said):
                wrong()

    def test_what_is_no_key_is_refused_without_being_told(self) -> None:
        for key in ("", "my secret", "secret\n", "sécret", "secret\x7f"):
            with self.subTest(key), self.assertRaisesRegex(ValueError, "api_key is empty, or has") as raised:
                Settings("a:1", api_key=key)
            self.assertNotIn("ecret", str(raised.exception))

    def test_keys_are_not_shown(self) -> None:
        settings = Settings("a:1", api_key="secret", tls=Tls(None, b"c", b"secret"))
        self.assertNotIn("secret", repr(settings))


if __name__ == "__main__":
    unittest.main()
