"""Single texts, batches and health, 3 to 1 to 1, at 10, 50 and 100 calls a second, PHASE_SECONDS each.

Ends with exit code 1 where a call failed, or the p95 of one of the three is over 100 ms.
"""

import itertools
import os
from pathlib import Path

from locust import FastHttpUser, LoadTestShape, events, poisson, task

RATES = (10, 50, 100)
P95_MS = 100
BATCH = 10
SECONDS = int(os.environ["PHASE_SECONDS"])
TEXTS = itertools.cycle(Path(os.environ["TEXTS"]).read_text().splitlines())


class Caller(FastHttpUser):
    """About one call a second: there are as many callers as calls a second.

    At random, as real callers do: constant_throughput would let all callers of a phase call at the same moment of each second.
    """

    wait_time = poisson(1)

    @task(3)
    def single(self) -> None:
        self.client.post("/api/analyze", json={"text": next(TEXTS)})

    @task(1)
    def batch(self) -> None:
        texts = list(itertools.islice(TEXTS, BATCH))
        with self.client.post("/api/analyze/batch", json={"texts": texts}, catch_response=True) as answer:
            if answer.status_code == 200 and any("error" in result for result in answer.json()["results"]):
                answer.failure("a text was not answered")

    @task(1)
    def health(self) -> None:
        self.client.get("/health")


class Phases(LoadTestShape):
    """Each phase has its callers at once."""

    def tick(self) -> tuple[int, int] | None:
        phase = int(self.get_run_time() // SECONDS)
        return (RATES[phase], RATES[phase]) if phase < len(RATES) else None


@events.quitting.add_listener
def judge(environment, **_) -> None:
    stats = environment.stats
    p95s = {name: entry.get_response_time_percentile(0.95) for (name, _), entry in stats.entries.items()}
    fine = len(p95s) == 3 and max(p95s.values()) <= P95_MS and stats.total.num_failures == 0
    print(f"p95 in ms: {p95s}, at most {P95_MS} each; {stats.total.num_failures} of {stats.total.num_requests} calls failed")
    environment.process_exit_code = 0 if fine else 1
