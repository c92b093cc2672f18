"""FastAPI, no batching: plain functions, which FastAPI runs in its thread pool. `uvicorn --workers 2`: a process a core."""

from fastapi import FastAPI

from bodies import Text, Texts
from sentiment_model import Answer, SentimentModel

app = FastAPI()
model = SentimentModel()


@app.get("/ready")
def ready() -> str:
    return "ready"


@app.post("/text")
def text(body: Text) -> Answer:
    return model.classify([body.text])[0]


@app.post("/texts")
def texts(body: Texts) -> list[Answer]:
    return model.classify(body.texts)
