"""What only asyncio has: cancellation, generators that are left, several loops."""

from __future__ import annotations

import asyncio
import gc
import itertools
import threading
import time
import unittest
from collections.abc import AsyncIterator, Iterator

from scripted_server import Context, answer, answer_batch, answer_one, serving
from texts import of_lengths, scores

from sentiment_client import AsyncSentimentClient, Outcome
from sentiment_client.gen import sentiment_pb2 as api


class Holding:
    """Scripts that answer nothing but the text "x", and tell when they are left."""

    def __init__(self) -> None:
        self.began = threading.Event()
        self.left = threading.Event()

    def one(self, request: api.AnalyzeRequest, context: Context) -> api.AnalyzeResponse:
        self._hold(context)
        return answer_one(request, context)

    def batch(self, request: api.AnalyzeBatchRequest, context: Context) -> api.AnalyzeBatchResponse:
        if request.texts[0] != "x":
            self._hold(context)
        return answer_batch(request, context)

    def stream(self, requests: Iterator[api.AnalyzeStreamRequest], context: Context) -> Iterator[api.AnalyzeStreamResponse]:
        yield answer(next(requests))
        self._hold(context)

    def _hold(self, context: Context) -> None:
        context.add_callback(self.left.set)
        self.began.set()
        while context.is_active():
            time.sleep(0.01)


async def seen(event: threading.Event) -> bool:
    return await asyncio.get_running_loop().run_in_executor(None, event.wait, 5)


class Cancelling(unittest.IsolatedAsyncioTestCase):
    async def test_cancelling_a_task_cancels_its_call(self) -> None:
        held = Holding()
        with serving(one=held.one) as server:
            async with AsyncSentimentClient(server.address) as client:
                task = asyncio.create_task(client.analyze("abc"))
                self.assertTrue(await seen(held.began))
                task.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await task
                self.assertTrue(await seen(held.left))

    async def test_leaving_a_loop_early_cancels_what_is_under_way(self) -> None:
        for name in ("analyze_all", "analyze_stream"):
            held = Holding()
            with self.subTest(name), serving(batch=held.batch, streams=[held.stream]) as server:
                async with AsyncSentimentClient(server.address) as client:
                    options = {"batch_size": 1} if name == "analyze_all" else {}
                    async for outcome in getattr(client, name)(of_lengths(100), **options):
                        self.assertEqual(scores([outcome]), [1])
                        self.assertTrue(await seen(held.began))
                        break
                    gc.collect()
                    self.assertTrue(await seen(held.left))

    async def test_cancelling_a_task_that_takes_outcomes_cancels_what_is_under_way(self) -> None:
        for name in ("analyze_all", "analyze_stream"):
            held = Holding()
            with self.subTest(name), serving(batch=held.batch, streams=[held.stream]) as server:
                async with AsyncSentimentClient(server.address) as client:

                    async def take(client: AsyncSentimentClient = client, name: str = name) -> list[Outcome]:
                        return [outcome async for outcome in getattr(client, name)(["ab", "abc"])]

                    task = asyncio.create_task(take())
                    self.assertTrue(await seen(held.began))
                    task.cancel()
                    with self.assertRaises(asyncio.CancelledError):
                        await task
                    self.assertTrue(await seen(held.left))


class Sources(unittest.IsolatedAsyncioTestCase):
    async def test_takes_plain_iterables_too(self) -> None:
        with serving() as server:
            async with AsyncSentimentClient(server.address) as client:
                for helper in (client.analyze_all, client.analyze_stream):
                    outcomes = [outcome async for outcome in helper(of_lengths(700))]
                    self.assertEqual(scores(outcomes), list(range(1, 701)))

    async def test_an_answer_comes_while_the_next_text_is_waited_for(self) -> None:
        answered = asyncio.Event()

        async def texts() -> AsyncIterator[str]:
            yield "a"
            await asyncio.wait_for(answered.wait(), 10)
            yield "bb"

        said = []
        with serving() as server:
            async with AsyncSentimentClient(server.address) as client:
                async for outcome in client.analyze_stream(texts()):
                    said.append(outcome)
                    answered.set()
        self.assertEqual(scores(said), [1, 2])

    async def test_many_tasks_share_a_client(self) -> None:
        with serving() as server:
            async with AsyncSentimentClient(server.address) as client:
                responses = await asyncio.gather(*(client.analyze(text) for text in of_lengths(100)))
        self.assertEqual(scores([response.sentiment for response in responses]), list(range(1, 101)))


class Loops(unittest.TestCase):
    def test_a_client_may_be_made_before_its_loop(self) -> None:
        with serving() as server:
            client = AsyncSentimentClient(server.address)

            async def ask() -> float:
                async with client:
                    return (await client.analyze("abc")).sentiment.score

            self.assertEqual(asyncio.run(ask()), 3)

    def test_leaves_no_task_behind(self) -> None:
        async def ask() -> set[str]:
            async with AsyncSentimentClient(server.address) as client:
                taken = []
                outcomes = client.analyze_stream(itertools.repeat("abc"))
                async for outcome in outcomes:
                    taken.append(outcome)
                    if len(taken) == 300:
                        break
                await outcomes.aclose()
                return {task.get_name() for task in asyncio.all_tasks() - {asyncio.current_task()} if task is not None}

        with serving() as server:
            self.assertEqual(asyncio.run(ask()), set())


if __name__ == "__main__":
    unittest.main()
