"""Ray Serve: two replicas of a CPU each, single texts batched by `@serve.batch`, JSON over HTTP through a FastAPI ingress."""

import os

import ray
from fastapi import FastAPI
from ray import serve
from ray.serve.config import HTTPOptions
from ray.serve.schema import LoggingConfig

from bodies import Text, Texts
from sentiment_model import Answer, SentimentModel

api = FastAPI()


@serve.deployment(
    num_replicas=2,
    ray_actor_options={"num_cpus": 1},
    max_ongoing_requests=32,
    logging_config=LoggingConfig(enable_access_log=False),
)
@serve.ingress(api)
class Sentiment:
    def __init__(self) -> None:
        self.model = SentimentModel()

    @api.get("/ready")
    async def ready(self) -> str:
        return "ready"

    @serve.batch(max_batch_size=8, batch_wait_timeout_s=0.002)
    async def classify(self, texts: list[str]) -> list[Answer]:
        return self.model.classify(texts)

    @api.post("/text")
    async def text(self, body: Text) -> Answer:
        return await self.classify(body.text)

    @api.post("/texts")
    async def texts(self, body: Texts) -> list[Answer]:
        return self.model.classify(body.texts)


ray.init(
    num_cpus=2,
    include_dashboard=False,
    # 75 MB is the least that Ray takes; nothing here is put into its object store.
    object_store_memory=80 * 1024 * 1024,
    _node_ip_address="127.0.0.1",
    _temp_dir=os.environ["PEER_FOLDER"],
)
serve.start(
    http_options=HTTPOptions(host="127.0.0.1", port=int(os.environ["PEER_PORT"])),
    logging_config=LoggingConfig(enable_access_log=False),
)
serve.run(Sentiment.bind(), blocking=True)
