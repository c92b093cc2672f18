"""with_sentiment in a real local Spark, against a real server."""

from __future__ import annotations

import math
import os
import resource
import subprocess
import tempfile
import unittest

import grpc
import pyarrow as pa
from local_spark import frame_of, session, texts
from pyspark.sql import functions as sql
from real_server import RealServer

from sentiment_spark import Limits, SentimentError, with_sentiment
from sentiment_spark.frame import per_task
from sentiment_spark.gen import sentiment_pb2 as api
from sentiment_spark.settings import Settings

SOME = ["I love this product!", "Terrible quality, waste of money", "The meeting is on Tuesday.", "schön, 😀", "not bad at all"]
ROWS = 20_000
MOST_GROWTH_MB = 40


def plain_analyze(target: str, some: list[str], tier: int) -> list[api.Sentiment]:
    with grpc.insecure_channel(target) as channel:
        call = channel.unary_unary(
            "/sentiment.v1.SentimentService/Analyze",
            request_serializer=api.AnalyzeRequest.SerializeToString,
            response_deserializer=api.AnalyzeResponse.FromString,
        )
        return [call(api.AnalyzeRequest(text=text, tier=tier)).sentiment for text in some]


class Frame(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        cls.server = cls.enterClassContext(RealServer())

    def with_sentiment(self, frame, text_column="text", **settings):
        return with_sentiment(frame, text_column, target=self.server.target, **settings)

    def test_says_what_plain_analyze_says(self) -> None:
        for tier, number in [("fast", api.TIER_FAST), ("default", api.TIER_UNSPECIFIED), ("auto", api.TIER_AUTO)]:
            said = plain_analyze(self.server.target, SOME, number)
            rows = self.with_sentiment(frame_of(SOME), tier=tier).orderBy("n").collect()
            for row, one, text in zip(rows, said, SOME, strict=True):
                with self.subTest(tier=tier, text=text):
                    self.assertEqual(row.text, text)
                    self.assertEqual(f"LABEL_{row.sentiment_label.upper()}", api.Label.Name(one.label))
                    self.assertTrue(math.isclose(row.sentiment_score, one.score, abs_tol=0.01))
                    self.assertTrue(math.isclose(row.sentiment_confidence, one.confidence, abs_tol=0.01))
                    self.assertAlmostEqual(sum(row.sentiment_probabilities), 1, places=4)
                    self.assertEqual(f"TIER_{row.sentiment_tier.upper()}", api.Tier.Name(one.tier))
                    self.assertEqual((row.sentiment_model, row.sentiment_model_version), (one.model, one.model_version))
                    self.assertEqual(row.sentiment_token_count, one.token_count)
                    self.assertIsNone(row.sentiment_error_reason)

    def test_bad_rows_have_their_reason_and_null_rows_nothing(self) -> None:
        rows = ["fine", None, "", " \n", "x" * 10_001, "good"]
        said = self.with_sentiment(frame_of(rows), tier="fast").orderBy("n").collect()
        reasons = [None, None, "TEXT_EMPTY", "TEXT_EMPTY", "TEXT_TOO_LONG", None]
        self.assertEqual([row.sentiment_error_reason for row in said], reasons)
        self.assertEqual([row.sentiment_label is not None for row in said], [True, False, False, False, False, True])
        self.assertIsNone(said[1].sentiment_error_message)
        self.assertIn("10000", said[4].sentiment_error_message)
        cut = self.with_sentiment(frame_of(["good " * 600]), tier="fast", long_text="reject").first()
        self.assertEqual(cut.sentiment_error_reason, "TEXT_TOO_LONG")

    def test_keeps_other_columns_whatever_they_hold(self) -> None:
        frame = session().sql(
            "select * from values"
            " (bigint(9007199254740993), timestamp'1500-01-01 00:00:00', map('a', 1), array(struct(1, 'x')), 'good'),"
            " (null, null, null, null, 'bad'),"
            " (1, timestamp'9999-12-31 00:00:00', map(), array(), string(unhex('ff41')))"
            " as t(big, moment, pairs, parts, `the.text`)"
        )
        said = self.with_sentiment(frame, "the.text", tier="fast", prefix="s_")
        self.assertEqual(said.columns[:5], frame.columns)
        kept = ["big", "cast(moment as string)", "pairs", "parts", "hex(`the.text`)"]
        self.assertEqual(said.selectExpr(*kept).collect(), frame.selectExpr(*kept).collect())
        self.assertEqual([row.s_error_reason for row in said.select("s_error_reason").collect()], [None, None, "TEXT_NOT_UTF8"])

    def test_says_what_is_wrong_with_a_frame_before_it_runs(self) -> None:
        frame = frame_of(["a"])
        for wrong, said in [
            (lambda: self.with_sentiment(frame, "txt"), "no column 'txt'; it has: n, text"),
            (lambda: self.with_sentiment(frame, "n"), "must hold strings; it holds int"),
            (lambda: self.with_sentiment(frame.withColumn("s_label", sql.lit(1)), prefix="S_"), "already: S_label"),
            (lambda: self.with_sentiment(frame.join(frame, "n")), "2 columns 'text'"),
        ]:
            with self.subTest(said), self.assertRaisesRegex(ValueError, said):
                wrong()

    def test_answers_many_rows_of_one_partition_in_even_memory(self) -> None:
        task = per_task(Settings(self.server.target, tier="fast"), 1)

        def measured(batches):
            for batch in task(batches):
                peak = pa.array([resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024] * len(batch))
                yield pa.RecordBatch.from_arrays([batch.column(0), batch.column(2), batch.column(3), peak], ["n", "label", "score", "mb"])

        rows = texts(ROWS)
        said = frame_of(rows, 1).mapInArrow(measured, "n int, label string, score float, mb double").collect()
        self.assertEqual(len({row.n for row in said}), ROWS)
        self.assertTrue(all(row.label for row in said))
        peaks = [row.mb for row in said]
        print(f"peak memory of the task: {peaks[0]:.0f} MB after 500 rows, {peaks[-1]:.0f} MB after {ROWS:,}")
        self.assertLess(peaks[-1] - peaks[0], MOST_GROWTH_MB)

    def test_a_limit_ends_a_task_early_without_a_fault(self) -> None:
        self.assertEqual(len(self.with_sentiment(frame_of(texts(2000), 1), tier="fast").limit(3).collect()), 3)


class Keys(unittest.TestCase):
    def test_asks_with_the_key(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "keys.json")
            command = ["node", "dist/server/keys-cli.js", "new", "--name", "spark", "--file", file]
            key = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()
            with RealServer(API_KEYS_FILE=file) as server:
                asked = {"target": server.target, "tier": "fast", "limits": Limits(patience_seconds=5)}
                said = with_sentiment(frame_of(["good"]), "text", api_key=key, **asked).first()
                self.assertEqual(said.sentiment_label, "positive")
                for wrong, reason in [(None, "KEY_MISSING"), ("wrong", "KEY_UNKNOWN")]:
                    with self.assertRaisesRegex(Exception, f"{SentimentError.__name__}: {reason}"):
                        with_sentiment(frame_of(["good"]), "text", api_key=wrong, **asked).collect()


if __name__ == "__main__":
    unittest.main()
