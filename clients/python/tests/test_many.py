"""The helpers over many texts, of both clients, against the real server, also while it restarts."""

from __future__ import annotations

import itertools
import signal
import unittest
from collections.abc import Callable, Generator, Iterable
from threading import Event, Thread

from both import CLIENTS
from real_server import RealServer, free_port
from texts import answered, reasons, scores, some_texts

from sentiment_client import Outcome, SentimentClient

COUNT = 1000
RESTARTED_COUNT = 2000
# Of these texts: a signal is sent after the first, and the server has ended, drained or not, before the last.
SIGNAL_AT, ENDED_AT = 300, 1000

Helper = Callable[..., Generator[Outcome, None, None]]


def helpers(client: SentimentClient) -> dict[str, Helper]:
    return {"batch": client.analyze_all, "stream": client.analyze_stream}


def plain_scores(server: RealServer, texts: list[str]) -> list[float]:
    with SentimentClient(server.address) as client:
        cuts = [texts[begin : begin + 100] for begin in range(0, len(texts), 100)]
        return scores([outcome for cut in cuts for outcome in client.analyze_batch(cut)])


class Restarting:
    """Ends a server when outcomes are under way, and starts another on its port beside the test."""

    def __init__(self, server: RealServer, port: int, how: signal.Signals) -> None:
        self._server, self._port, self._how = server, port, how
        self._thread = Thread(target=self._restart)
        self._ended = Event()
        self.next: RealServer | None = None

    def watch(self, outcomes: Iterable[Outcome]) -> list[Outcome]:
        taken = []
        for outcome in outcomes:
            taken.append(outcome)
            if len(taken) == SIGNAL_AT:
                self._thread.start()
            if len(taken) == ENDED_AT:
                self._ended.wait()
        self._thread.join()
        return taken

    def _restart(self) -> None:
        self._server.stop(self._how)
        self._ended.set()
        self.next = RealServer(self._port)


class Many(unittest.TestCase):
    def test_answers_each_text_once_and_in_order(self) -> None:
        texts = some_texts(COUNT)
        texts[123] = ""
        server = self.enterContext(RealServer())
        expected = plain_scores(server, texts[:123] + texts[124:])
        for kind in CLIENTS:
            client = self.enterContext(CLIENTS[kind](server.address))
            for name, helper in helpers(client).items():
                with self.subTest(kind=kind, helper=name):
                    outcomes = list(helper(iter(texts)))
                    self.assertEqual(reasons([outcomes.pop(123)]), ["TEXT_EMPTY"])
                    self.assertEqual(scores(outcomes), expected)
            with self.subTest(kind=kind, helper="unordered"):
                by_place = dict(client.analyze_unordered(texts))
                self.assertEqual(sorted(by_place), list(range(COUNT)))
                self.assertEqual(scores([by_place[place] for place in range(COUNT) if place != 123]), expected)

    def test_stops_early_of_texts_without_end(self) -> None:
        server = self.enterContext(RealServer())
        for kind in CLIENTS:
            client = self.enterContext(CLIENTS[kind](server.address))
            for name, helper in helpers(client).items():
                with self.subTest(kind=kind, helper=name):
                    read = itertools.count()
                    endless = (f"text {next(read)} is fine" for _ in itertools.repeat(None))
                    outcomes = helper(endless)
                    taken = list(itertools.islice(outcomes, 100))
                    outcomes.close()
                    self.assertEqual(reasons(taken), [None] * 100)
                    # What was taken, and one window: 256 texts, or five batches of 32.
                    self.assertLessEqual(next(read), 100 + 257)
                    self.assertEqual(client.analyze("still fine").sentiment.token_count, 2)

    def test_answers_each_text_once_while_the_server_restarts(self) -> None:
        for kind in CLIENTS:
            for name in ("batch", "stream"):
                for how in (signal.SIGKILL, signal.SIGTERM):
                    with self.subTest(kind=kind, helper=name, how=how.name):
                        self._restart(kind, name, how, some_texts(RESTARTED_COUNT, seed=2))

    def _restart(self, kind: str, name: str, how: signal.Signals, texts: list[str]) -> None:
        port = free_port()
        with RealServer(port) as server, CLIENTS[kind](server.address) as client:
            restarting = Restarting(server, port, how)
            outcomes = restarting.watch(helpers(client)[name](texts))
        assert restarting.next is not None
        with restarting.next as server:
            self.assertEqual(len(outcomes), len(texts))
            self.assertEqual(scores(outcomes), plain_scores(server, texts))
            self.assertTrue(all(answered(outcome).model == "sentiment_fast" for outcome in outcomes))


if __name__ == "__main__":
    unittest.main()
