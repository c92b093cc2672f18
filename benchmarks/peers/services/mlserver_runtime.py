"""MLServer: a custom runtime, KServe v2 over REST. Two models, `text` with adaptive batching and `texts` without, share one session a worker."""

from __future__ import annotations

from functools import cache

import numpy as np
from mlserver import MLModel
from mlserver.codecs import NumpyCodec, StringCodec
from mlserver.types import InferenceRequest, InferenceResponse

from sentiment_model import SentimentModel

shared_model = cache(SentimentModel)


class SentimentRuntime(MLModel):
    async def load(self) -> bool:
        self.model = shared_model()
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        answers = self.model.classify(StringCodec.decode_input(payload.inputs[0]))
        labels = [answer["label"] for answer in answers]
        probabilities = np.array([answer["probabilities"] for answer in answers], dtype=np.float32)
        return InferenceResponse(
            model_name=self.name,
            outputs=[
                StringCodec.encode_output("label", labels),
                NumpyCodec.encode_output("probabilities", probabilities),
            ],
        )
