"""One local Spark of two threads for all tests."""

from __future__ import annotations

import random

from pyspark.sql import DataFrame, SparkSession

WORDS = "the film was a good bad dull bright long story with no plot and great fine poor acting I loved hated it".split()


def session() -> SparkSession:
    settings = {
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "1g",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "500",
        "spark.sql.session.timeZone": "UTC",
    }
    builder = SparkSession.builder.master("local[2]").appName("sentiment-spark-tests")
    for name, value in settings.items():
        builder = builder.config(name, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("OFF")
    return spark


def texts(count: int, seed: int = 1) -> list[str]:
    """Distinct."""
    chance = random.Random(seed)
    return [" ".join(chance.choices(WORDS, k=chance.randint(3, 12))) + f" {place}" for place in range(count)]


def frame_of(rows: list[str | None], partitions: int = 2) -> DataFrame:
    spark = session()
    return spark.createDataFrame(list(enumerate(rows)), "n int, text string").repartition(partitions, "n")
