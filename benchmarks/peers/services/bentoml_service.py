"""BentoML: two workers; single texts come as lists of one to a batchable API, which its adaptive dispatcher puts together; lists go to a plain one."""

from __future__ import annotations

import bentoml

from sentiment_model import Answer, SentimentModel


@bentoml.service(
    workers=2,
    logging={"access": {"enabled": False}},
    traffic={"timeout": 60, "max_concurrency": 256},
)
class Sentiment:
    def __init__(self) -> None:
        self.model = SentimentModel()

    @bentoml.api(route="/text", batchable=True, max_batch_size=8, max_latency_ms=1000)
    def text(self, texts: list[str]) -> list[Answer]:
        return self.model.classify(texts)

    @bentoml.api(route="/texts")
    def texts(self, texts: list[str]) -> list[Answer]:
        return self.model.classify(texts)
