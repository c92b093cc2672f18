"""What goes along with calls, keys and traces; where they go, and how large they may be."""

from __future__ import annotations

import subprocess
import sys
import unittest

from both import CLIENTS
from opentelemetry import baggage, context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import format_trace_id
from scripted_server import Context, ScriptedServer, serving

from sentiment_client import AsyncSentimentClient, SentimentClient, SentimentError
from sentiment_client.gen import sentiment_pb2 as api

TRACER = TracerProvider().get_tracer("tests")
HEADERS = {"authorization", "traceparent", "tracestate", "baggage"}


def ask_all(client: SentimentClient) -> int:
    """Each call once; how many there are."""
    client.analyze("abc")
    client.analyze_batch(["abc"])
    client.models()
    list(client.analyze_all(["abc"]))
    list(client.analyze_stream(["abc"]))
    return 5


def sent(server: ScriptedServer) -> list[dict[str, str]]:
    return [{name: value for name, value in call.items() if name in HEADERS} for call in server.metadata]


class Traces(unittest.TestCase):
    def test_the_active_context_goes_along_and_nothing_else(self) -> None:
        for kind in CLIENTS:
            with self.subTest(kind), serving() as server, CLIENTS[kind](server.address) as client:
                token = context.attach(baggage.set_baggage("user", "secret"))
                with TRACER.start_as_current_span("asks") as span:
                    count = ask_all(client)
                context.detach(token)
                ids = span.get_span_context()
                expected = f"00-{format_trace_id(ids.trace_id)}-{ids.span_id:016x}-{ids.trace_flags:02x}"
                self.assertEqual(sent(server), [{"traceparent": expected}] * count)

    def test_nothing_goes_along_without_a_context_or_where_it_is_switched_off(self) -> None:
        for kind in CLIENTS:
            with self.subTest(kind), serving() as server:
                with CLIENTS[kind](server.address) as client:
                    count = ask_all(client)
                with CLIENTS[kind](server.address, trace_context=False) as client:
                    with TRACER.start_as_current_span("asks"):
                        count += ask_all(client)
                self.assertEqual(sent(server), [{}] * count)

    def test_works_without_opentelemetry(self) -> None:
        script = (
            "import sys\n"
            "sys.modules['opentelemetry'] = None\n"
            "import sentiment_client\n"
            "with sentiment_client.SentimentClient(sys.argv[1]) as client:\n"
            "    print(client.analyze('abc').sentiment.score)\n"
        )
        with serving() as server:
            command = [sys.executable, "-c", script, server.address]
            said = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
        self.assertEqual(said.stdout, "3.0\n")


class Keys(unittest.TestCase):
    def test_a_key_goes_along_with_each_call(self) -> None:
        for kind in CLIENTS:
            with self.subTest(kind), serving() as server, CLIENTS[kind](server.address, api_key="sap_1_x") as client:
                count = ask_all(client)
                self.assertEqual(sent(server), [{"authorization": "Bearer sap_1_x"}] * count)

    def test_what_is_no_key_is_refused_without_being_told(self) -> None:
        for make in (SentimentClient, AsyncSentimentClient):
            for key in ("", "my secret", "secret\n", "sécret", "secret\x7f"):
                with self.subTest(key), self.assertRaises(ValueError) as raised:
                    make(api_key=key)
                self.assertNotIn("ecret", str(raised.exception))

    def test_a_client_does_not_show_its_key(self) -> None:
        with SentimentClient(api_key="sap_secret") as client:
            self.assertNotIn("secret", repr(client) + repr(vars(client)))


class Addresses(unittest.TestCase):
    def test_all_of_a_name_are_asked_in_turn_and_the_others_where_one_is_gone(self) -> None:
        for kind in CLIENTS:
            with self.subTest(kind), serving() as stays:
                with serving() as goes:
                    client = self.enterContext(CLIENTS[kind](f"ipv4:{stays.address},{goes.address}"))
                    for _ in range(40):
                        client.analyze("abc")
                    counts = len(stays.metadata), len(goes.metadata)
                    self.assertEqual(sum(counts), 40)
                    self.assertGreater(min(counts), 10)
                for _ in range(10):
                    client.analyze("abc")
                self.assertEqual(len(stays.metadata), counts[0] + 10)


class Messages(unittest.TestCase):
    def test_may_be_as_large_as_is_said(self) -> None:
        def large(request: api.AnalyzeRequest, context: Context) -> api.AnalyzeResponse:
            words = [api.TokenAttribution(token="x" * 1_000_000)] * 8
            return api.AnalyzeResponse(sentiment=api.Sentiment(attributions=words))

        for kind in CLIENTS:
            with self.subTest(kind), serving(one=large) as server:
                with CLIENTS[kind](server.address) as client:
                    self.assertEqual(len(client.analyze("abc").sentiment.attributions), 8)
                with CLIENTS[kind](server.address, max_message_bytes=4_000_000) as client:
                    with self.assertRaisesRegex(SentimentError, "RESOURCE_EXHAUSTED: .*larger than max") as raised:
                        client.analyze("abc")
                    self.assertFalse(raised.exception.temporary)


if __name__ == "__main__":
    unittest.main()
