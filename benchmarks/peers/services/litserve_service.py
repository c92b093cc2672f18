"""LitServe: an API with its batching for single texts and one without for lists; two workers each."""

import os

import litserve

from sentiment_model import Answer, SentimentModel


class Texts(litserve.LitAPI):
    def setup(self, device: str) -> None:
        self.model = SentimentModel()

    def decode_request(self, request: dict) -> list[str]:
        return request["texts"]

    def predict(self, texts: list[str]) -> list[Answer]:
        return self.model.classify(texts)


class Text(Texts):
    def decode_request(self, request: dict) -> str:
        return request["text"]

    def batch(self, inputs: list[str]) -> list[str]:
        return inputs

    def unbatch(self, output: list[Answer]) -> list[Answer]:
        return output


if __name__ == "__main__":
    apis = [Text(max_batch_size=8, batch_timeout=0.002, api_path="/text"), Texts(api_path="/texts")]
    server = litserve.LitServer(apis, accelerator="cpu", workers_per_device=2)
    server.run(
        host="127.0.0.1",
        port=int(os.environ["PEER_PORT"]),
        num_api_servers=1,
        log_level="warning",
        generate_client_file=False,
    )
