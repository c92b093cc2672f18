"""FastAPI with micro-batching, written as tutorials do: a queue, and a task that takes what waits, at most 8 texts, while the batch before it runs."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from bodies import Text, Texts
from sentiment_model import Answer, SentimentModel

MAX_BATCH = 8

model = SentimentModel()
waiting: asyncio.Queue[tuple[str, asyncio.Future[Answer]]] = asyncio.Queue()


async def run_batches() -> None:
    while True:
        batch = [await waiting.get()]
        while len(batch) < MAX_BATCH and not waiting.empty():
            batch.append(waiting.get_nowait())
        try:
            answers = await asyncio.to_thread(model.classify, [text for text, _ in batch])
        except Exception as error:
            for _, answer in batch:
                answer.set_exception(error)
            continue
        for (_, future), answer in zip(batch, answers, strict=True):
            if not future.done():
                future.set_result(answer)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    batches = asyncio.create_task(run_batches())
    yield
    batches.cancel()


app = FastAPI(lifespan=lifespan)


@app.get("/ready")
async def ready() -> str:
    return "ready"


@app.post("/text")
async def text(body: Text) -> Answer:
    future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    waiting.put_nowait((body.text, future))
    return await future


@app.post("/texts")
async def texts(body: Texts) -> list[Answer]:
    return await asyncio.to_thread(model.classify, body.texts)
