"""with_sentiment in a real local Spark while the real server restarts, is overloaded, or is not there."""

from __future__ import annotations

import signal
import time
import unittest
from collections.abc import Iterator
from threading import Thread
from unittest.mock import patch

import pyarrow as pa
from local_spark import frame_of, texts
from real_server import RealServer, free_port

from sentiment_spark import Limits, with_sentiment
from sentiment_spark.frame import per_task
from sentiment_spark.pace import Pace
from sentiment_spark.settings import Settings

ROWS = 6000
OVERLOAD_ROWS = 400
LOOKED_UP = "sentiment_cache_lookups_total"


def with_refusals(answered: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Counts them beside the answers, in the task itself."""
    with patch.object(Pace, "refused", autospec=True, side_effect=Pace.refused) as refused:
        for batch in answered:
            counts = pa.array([refused.call_count] * len(batch), pa.int64())
            columns = [batch.column(0), batch.column(2), batch.column(12), counts]
            yield pa.RecordBatch.from_arrays(columns, ["n", "label", "reason", "refused"])


class Job(Thread):
    """Collects a frame beside the test."""

    def __init__(self, frame) -> None:
        super().__init__(daemon=True)
        self._frame = frame
        self.rows = []
        self.start()

    def run(self) -> None:
        self.rows = self._frame.collect()


def wait_until(condition, seconds: float = 60) -> None:
    give_up_at = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > give_up_at:
            raise AssertionError("it did not come to be")
        time.sleep(0.01)


class Faults(unittest.TestCase):
    def test_answers_all_rows_over_a_restart(self) -> None:
        for how in (signal.SIGKILL, signal.SIGTERM):
            with self.subTest(how.name):
                self.restart(how)

    def restart(self, how: signal.Signals) -> None:
        port = free_port()
        limits = Limits(patience_seconds=60)
        with RealServer(port) as server:
            job = Job(with_sentiment(frame_of(texts(ROWS)), "text", target=server.target, tier="fast", limits=limits))
            wait_until(lambda: server.metric(LOOKED_UP) > 1000)
            server.stop(how)
            self.assertTrue(job.is_alive(), "the job was done before the server ended")
        with RealServer(port):
            job.join(120)
        self.assertEqual(len({row.n for row in job.rows}), ROWS)
        self.assertTrue(all(row.sentiment_label for row in job.rows))

    def test_asks_what_was_refused_for_overload_again(self) -> None:
        rows = ["a good story " * 12 + text for text in texts(OVERLOAD_ROWS)]
        with RealServer(QUEUE_TIMEOUT="1") as server:
            task = per_task(Settings(server.target, tier="accurate", limits=Limits(max_under_way=128)), 1)
            schema = "n int, label string, reason string, refused long"
            said = frame_of(rows).mapInArrow(lambda batches: with_refusals(task(batches)), schema).collect()
        refused = max(row.refused for row in said)
        print(f"refused for overload and asked again in one task: {refused}")
        self.assertGreater(refused, 0)
        self.assertEqual({row.reason for row in said}, {None})
        self.assertEqual(len({row.n for row in said if row.label}), len(rows))

    def test_fails_in_time_and_says_why_where_nobody_listens(self) -> None:
        target = f"127.0.0.1:{free_port()}"
        limits = Limits(patience_seconds=2)
        started_at = time.monotonic()
        with self.assertRaisesRegex(Exception, f"ServerUnavailable: UNAVAILABLE: {target} has answered no text for 2 s"):
            with_sentiment(frame_of(["a"]), "text", target=target, limits=limits).collect()
        self.assertLess(time.monotonic() - started_at, 20)


if __name__ == "__main__":
    unittest.main()
