import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { Batcher, type BatcherOptions, type RunBatch } from "../../../server/batch/batcher.js";
import type { BatchRun } from "../../../server/batch/events.js";
import type { RowAnswer } from "../../../server/batch/row.js";
import { Singles } from "../../../server/batch/singles.js";
import { type Call, unasked, withSignal } from "../../../server/core/call.js";
import { ServiceError } from "../../../server/core/errors.js";
import { FakeClock } from "../../support/fake-clock.js";
import { NO_EVENTS } from "../../support/no-events.js";
import { echoOf, type HeldRun, heldRuns, recorder, turn } from "../../support/recorder.js";
import { callFrom, someCall } from "../../support/some-call.js";
import { reasonOf, resultOf, serviceError } from "../outcomes.js";
import { type Draw, seeded } from "../seeded.js";
import { ANY_LENGTHS } from "./any-lengths.js";

type Outcomes = readonly PromiseSettledResult<RowAnswer>[];

const OPTIONS: BatcherOptions = {
  singles: new Singles(),
  limits: ANY_LENGTHS,
  concurrency: 1,
  maxInFlight: 1,
  maxQueuedRows: 1000,
  policy: "guide",
  maxWaitMs: 60_000,
  blames: () => false,
  events: NO_EVENTS,
};
const refused = new Error("the model refused the batch");
const left = new Error("the caller left");

/** A row of that many tokens whose first id tells it from others. */
const row = (id: number, tokens = 4) => [id, ...Array<number>(tokens - 1).fill(0)];
const idsOf = (run: HeldRun | undefined) => run?.rows.map(([id]) => id);
/** The ids of the rows that the answers are about. */
const answered = (outcomes: Outcomes) => outcomes.map((outcome) => resultOf(outcome).logits[0]);

/** Calls of so many rows of so many tokens each, whose callers wait so long. */
const TRIES = [1, 2, 4].flatMap((rows) =>
  [10, 90, 400].flatMap((tokens) =>
    [150, 330, 360, 700, 2000].map((withinMs) => ({ rows, tokens, withinMs })),
  ),
);

/** Whether its rows come to wait; they leave at once. */
async function isTaken(batcher: Batcher, { rows, tokens }: (typeof TRIES)[number], by: Call) {
  const leaving = new AbortController();
  const before = batcher.queued.size;
  const all = Array.from({ length: rows }, (_, place) => row(10 + place, tokens));
  const whole = batcher.submit(all, withSignal(by, leaving.signal)).catch(() => {});
  const taken = batcher.queued.size > before;
  leaving.abort(new Error("left"));
  await whole;
  return taken;
}

const isFine = (work: () => void): boolean => {
  try {
    work();
    return true;
  } catch {
    return false;
  }
};

describe("Batcher", () => {
  let clock: FakeClock;
  let runs: readonly HeldRun[];
  let heldRun: RunBatch;
  beforeEach(() => {
    clock = new FakeClock();
    [heldRun, runs] = heldRuns();
  });
  /** A batcher over a model whose runs the test answers. */
  const held = (options: Partial<BatcherOptions> = {}) =>
    new Batcher(heldRun, { ...OPTIONS, ...options }, clock);
  /** Answers a batch, by its place in `runs`, and lets what follows from that happen. */
  const end = async (batch: number) => {
    runs[batch]?.answer();
    await turn();
  };

  describe("gathering", () => {
    it("makes larger batches of lists and streams while nobody asks for single texts", async () => {
      const singles = new Singles();
      const batcher = held({ policy: "cost", fixedTokens: 1, singles });
      const bulk = callFrom({ isBulk: true });
      const many = () =>
        batcher.submit(
          Array.from({ length: 20 }, (_, id) => row(id, 10)),
          bulk,
        );
      // Of a list of 20 rows of 10 tokens, at 0.4 ms a token: as many as 40 ms do, and 20 ms.
      const rowsOfNext = async () => {
        const answer = many();
        await turn();
        const first = runs.length - 1;
        for (let batch = first; batch < runs.length; batch++) {
          clock.advance(0.4 * 10 * (runs[batch]?.rows.length ?? 0));
          await end(batch);
        }
        await answer;
        return runs[first]?.rows.length ?? 0;
      };
      await rowsOfNext();
      assert.ok([9, 10].includes(await rowsOfNext()));
      const single = batcher.submit([row(0, 10)], someCall());
      await turn();
      clock.advance(4);
      await end(runs.length - 1);
      await single;
      assert.ok([4, 5].includes(await rowsOfNext()));
      clock.advance(5000);
      assert.ok([9, 10].includes(await rowsOfNext()));
    });

    it("runs a lone row at once, without waiting for company", async () => {
      const batcher = held();
      const answer = batcher.submit([row(1)], someCall());
      await turn();
      assert.deepEqual(idsOf(runs[0]), [1]);
      assert.equal(clock.pending, 0);
      runs[0]?.answer();
      assert.deepEqual(answered(await answer), [1]);
    });

    it("puts calls that arrive in one turn into one batch", async () => {
      const batcher = held();
      const answers = [1, 2, 3].map((id) => batcher.submit([row(id)], someCall()));
      await turn();
      assert.equal(runs.length, 1);
      assert.deepEqual(idsOf(runs[0]), [1, 2, 3]);
      await end(0);
      assert.deepEqual((await Promise.all(answers)).map(answered), [[1], [2], [3]]);
    });

    it("makes the next batch of the rows that wait while one runs", async () => {
      const batcher = held();
      const answers = [batcher.submit([row(1)], someCall())];
      await turn();
      answers.push(batcher.submit([row(2)], someCall()));
      await turn();
      answers.push(batcher.submit([row(3), row(4)], someCall()));
      await turn();
      assert.equal(runs.length, 1);
      assert.deepEqual([batcher.queued.size, batcher.queued.tokens], [3, 12]);
      await end(0);
      assert.equal(runs.length, 2);
      assert.deepEqual(idsOf(runs[1]), [2, 3, 4]);
      assert.equal(batcher.queued.size, 0);
      await end(1);
      assert.deepEqual((await Promise.all(answers)).map(answered), [[1], [2], [3, 4]]);
    });

    it("answers in the order of the rows, though batches go by length", async () => {
      const batcher = held();
      const answer = batcher.submit([row(1, 9), row(2, 2), row(3, 5), row(4, 2)], someCall());
      await turn();
      assert.deepEqual(idsOf(runs[0]), [2, 4, 3, 1]);
      await end(0);
      assert.deepEqual(answered(await answer), [1, 2, 3, 4]);
    });

    it("spreads a call over batches when it is over the row limit", async () => {
      const batcher = held({ limits: { ...ANY_LENGTHS, minRows: 2 } });
      const answer = batcher.submit(
        [1, 2, 3].map((id) => row(id)),
        someCall(),
      );
      await turn();
      await end(0);
      await end(1);
      assert.deepEqual(runs.map(idsOf), [[1, 2], [3]]);
      assert.deepEqual(answered(await answer), [1, 2, 3]);
    });

    it("keeps rows of far lengths out of one batch", async () => {
      const batcher = held({ limits: { ...ANY_LENGTHS, maxPaddingRatio: 0.12 } });
      const answer = batcher.submit([row(1, 10), row(2, 100), row(3, 11)], someCall());
      await turn();
      await end(0);
      await end(1);
      assert.deepEqual(runs.map(idsOf), [[1, 3], [2]]);
      assert.deepEqual(answered(await answer), [1, 2, 3]);
    });

    it("puts rows of far lengths into one where padding costs little, and tells its share", async () => {
      const limits = { ...ANY_LENGTHS, maxPaddingRatio: 0.12, paddingCost: 0.05 };
      const answer = held({ limits }).submit([row(1, 10), row(2, 100), row(3, 10)], someCall());
      await turn();
      await end(0);
      assert.deepEqual(runs.map(idsOf), [[1, 3, 2]]);
      assert.deepEqual(
        (await answer).map((outcome) => resultOf(outcome).paddingRatio),
        [0.6, 0.6, 0.6],
      );
    });

    it("runs as many batches at once as it may, and no more", async () => {
      const batcher = held({
        concurrency: 2,
        maxInFlight: 2,
        limits: { ...ANY_LENGTHS, minRows: 1 },
      });
      const answers = [1, 2, 3, 4].map((id) => batcher.submit([row(id)], someCall()));
      await turn();
      assert.deepEqual(runs.map(idsOf), [[1], [2]]);
      await end(1);
      assert.deepEqual(runs.map(idsOf), [[1], [2], [3]]);
      await end(0);
      assert.deepEqual(runs.map(idsOf), [[1], [2], [3], [4]]);
      await end(2);
      await end(3);
      assert.deepEqual((await Promise.all(answers)).map(answered), [[1], [2], [3], [4]]);
    });

    for (const [tookMs, begun] of [
      [10, 2],
      [100, 1],
    ] as const) {
      it(`has ${begun} batches of ${tookMs} ms begun where those that wait in the backend may take 50 ms`, async () => {
        const batcher = held({ policy: "single", maxInFlight: 2, maxAheadMs: 50 });
        // Enough to know what they take.
        for (let batch = 0; batch < 5; batch++) {
          const answer = batcher.submit([row(batch)], someCall());
          await turn();
          clock.advance(tookMs);
          await end(batch);
          await answer;
        }
        const answers = [5, 6, 7].map((id) => batcher.submit([row(id)], someCall()));
        await turn();
        assert.equal(runs.length, 5 + begun);
        for (const batch of [5, 6, 7]) await end(batch);
        assert.deepEqual((await Promise.all(answers)).map(answered), [[5], [6], [7]]);
      });
    }

    it("answers a call without rows with nothing", async () => {
      assert.deepEqual(await held().submit([], someCall()), []);
      assert.equal(runs.length, 0);
    });

    it("runs each row alone when batching is off, the shorter ones first", async () => {
      const batcher = held({ policy: "single" });
      const answer = batcher.submit([row(1, 9), row(2, 2), row(3, 5)], someCall());
      await turn();
      for (const batch of [0, 1, 2]) await end(batch);
      assert.deepEqual(runs.map(idsOf), [[2], [3], [1]]);
      const outcomes = await answer;
      assert.deepEqual(answered(outcomes), [1, 2, 3]);
      assert.deepEqual(
        outcomes.map((outcome) => resultOf(outcome).batchRows),
        [1, 1, 1],
      );
    });
  });

  describe("turns", () => {
    /** Runs four batches of ten tokens, ten milliseconds each: a token costs a millisecond from then on. */
    const learned = async (options: Partial<BatcherOptions> = {}) => {
      const batcher = held({ limits: { ...ANY_LENGTHS, maxPaddingRatio: 0 }, ...options });
      for (let batch = 0; batch < 4; batch++) {
        const answer = batcher.submit([row(0, 10)], someCall());
        await turn();
        clock.advance(10);
        await end(batch);
        await answer;
      }
      return batcher;
    };
    const as = (holder: string, deadlineMs: number) => someCall({ deadlineMs, origin: { holder } });
    const forever = Number.POSITIVE_INFINITY;
    /** The ids of all further batches, in the order in which they run. */
    const ran = async (from: number) => {
      for (let batch = from; runs[batch] !== undefined; batch++) await end(batch);
      return runs.slice(from).map(idsOf);
    };

    it("lets short texts go before a long one that came earlier, as long as it had its own time", async () => {
      const batcher = await learned({ policy: "single" });
      const submit = (id: number, tokens: number) => batcher.submit([row(id, tokens)], someCall());
      void submit(1, 10);
      await turn();
      void submit(2, 100);
      // Each comes when the one before is under way, and waits for nobody.
      for (let id = 3; id < 13; id++) {
        void submit(id, 10);
        await turn();
        await end(id + 1);
      }
      assert.deepEqual((await ran(4)).flat(), [1, 3, 4, 5, 6, 7, 8, 9, 2, 10, 11, 12]);
    });

    it("lets a single text go before the rest of a large call", async () => {
      const batcher = await learned({ policy: "single" });
      const call = Array.from({ length: 6 }, (_, place) => row(10 + place, 10));
      void batcher.submit(call, someCall());
      await turn();
      clock.advance(5);
      void batcher.submit([row(1, 10)], someCall());
      await turn();
      assert.deepEqual((await ran(4)).flat(), [10, 11, 12, 1, 13, 14, 15]);
    });

    it("shares evenly between keys, however many calls one of them has", async () => {
      const batcher = await learned({ policy: "single" });
      const busy = Array.from({ length: 8 }, (_, place) => 10 + place);
      for (const id of busy) void batcher.submit([row(id, 10)], as("busy", forever));
      await turn();
      for (const id of [1, 2, 3]) void batcher.submit([row(id, 10)], as("calm", forever));
      await turn();
      const order = (await ran(4)).flat();
      const places = [1, 2, 3].map((id) => order.indexOf(id));
      assert.ok(Math.max(...places) <= 8, `the calm key's texts ran at ${places} of ${order}`);
    });

    it("lets another key's text go before the rest of a large call that came beside many", async () => {
      const batcher = await learned({ policy: "single" });
      const submit = (holder: string, ...rows: number[][]) =>
        void batcher.submit(rows, as(holder, forever));
      for (const id of [1, 2, 3, 4]) submit("busy", row(id, 10));
      submit("busy", ...Array.from({ length: 8 }, (_, place) => row(10 + place, 10)));
      await turn();
      // Until most of the others are done, and it has begun.
      for (let batch = 4; runs[batch] && !idsOf(runs[batch])?.includes(12); batch++)
        await end(batch);
      submit("calm", row(5, 10));
      const order = (await ran(4)).flat();
      assert.deepEqual(order.slice(0, 5).toSorted(), [1, 10, 2, 3, 4]);
      assert.ok(order.indexOf(5) <= 8, `the calm key's text ran at its place of ${order}`);
    });

    it("refuses at once what would miss its deadline, and nothing else", async () => {
      const batcher = await learned();
      void batcher.submit([row(1, 100)], someCall());
      await turn();
      // 100 ms of what runs, twice for the margin, and 10 of its own.
      const at = (ms: number) => batcher.submit([row(2, 10)], as("", clock.now() + ms));
      const refusal = reasonOf((await Promise.allSettled([at(209)]))[0]);
      assert.ok(refusal instanceof Error);
      assert.match(refusal.message, /would take about 0\.21 s/);
      assert.equal(batcher.queued.size, 0);
      void at(211);
      assert.equal(batcher.queued.size, 1);
      assert.deepEqual(await ran(4), [[1], [2]]);
    });

    it("gives up what was admitted and can be answered in time no more, for those who can", async () => {
      const batcher = await learned();
      void batcher.submit([row(1, 100)], someCall());
      await turn();
      const hasty = batcher.submit([row(2, 10)], as("", clock.now() + 220));
      const patient = batcher.submit([row(3, 11)], as("", forever));
      await turn();
      // It takes longer than it was expected to.
      clock.advance(215);
      await end(4);
      const refusal = reasonOf((await hasty)[0]);
      assert.ok(refusal instanceof ServiceError);
      assert.equal(refusal.reason, "OVERLOADED");
      await end(5);
      assert.deepEqual(answered(await patient), [3]);
    });

    it("runs what may be late while nobody else waits", async () => {
      const batcher = await learned();
      void batcher.submit([row(1, 100)], someCall());
      await turn();
      const hasty = batcher.submit([row(2, 10)], as("", clock.now() + 220));
      clock.advance(215);
      await end(4);
      await end(5);
      assert.deepEqual(answered(await hasty), [2]);
    });

    it("refuses what would wait longer than the limit, however patient its caller is", async () => {
      const batcher = await learned({ maxWaitMs: 90 });
      void batcher.submit([row(1, 100)], someCall());
      await turn();
      const call = [row(2, 50), row(3, 50)];
      await assert.rejects(batcher.submit(call, someCall()), /may take 0\.09 s/);
      assert.equal(Math.round(batcher.waitMs), 100);
    });

    for (const holder of ["", "busy"]) {
      it(`says of texts that nobody has read yet what it would say of their rows (key "${holder}")`, async () => {
        const batcher = await learned({ maxWaitMs: 300, maxQueuedRows: 4 });
        void batcher.submit([row(1, 100)], someCall());
        await turn();
        void batcher.submit([row(2, 100)], as("busy", forever));
        const outcomes = new Set<boolean>();
        for (const call of TRIES) {
          const { rows, tokens, withinMs } = call;
          const by = as(holder, clock.now() + withinMs);
          const said = isFine(() => batcher.admit(rows, rows * tokens, by));
          const did = await isTaken(batcher, call, by);
          outcomes.add(did);
          assert.equal(said, did, `${rows} of ${tokens} within ${withinMs} ms`);
        }
        assert.deepEqual([...outcomes].sort(), [false, true]);
      });
    }

    it("lets all in before they are read while it is idle, and counts once what it refuses", async () => {
      const [shed, told] = recorder((_reason: string, _rows: number) => {});
      const batcher = await learned({ maxWaitMs: 50, events: { ...NO_EVENTS, shed } });
      batcher.admit(3, 10_000, someCall());
      void batcher.submit([row(1, 100)], someCall());
      await turn();
      assert.throws(
        () => batcher.admit(3, 30, someCall()),
        /would take about 0\.1 s, and may take 0\.05 s/,
      );
      assert.throws(() => batcher.admit(3, 30, unasked(someCall().signal)));
      assert.deepEqual(told, [["too_late", 3]]);
    });

    it("lets a call ask for as much as its own deadline allows: its own rows are no queue", async () => {
      const batcher = await learned({ maxWaitMs: 110 });
      const call = as("", clock.now() + 2000);
      void batcher.submit([row(1, 100)], call);
      await turn();
      for (const id of [2, 3, 4, 5]) void batcher.submit([row(id, 200)], call);
      await assert.rejects(batcher.submit([row(6, 500)], call), /may take 2 s/);
      assert.equal(batcher.queued.tokens, 800);
      // Another one meets a queue.
      await assert.rejects(batcher.submit([row(7, 300)], as("", forever)), /may take 0\.11 s/);
    });

    it("tells of what it turns away, and why, but not of what was to warm the caches", async () => {
      const [shed, told] = recorder((_reason: string, _rows: number) => {});
      const options = { maxQueuedRows: 3, events: { ...NO_EVENTS, shed } };
      const batcher = await learned(options);
      void batcher.submit([row(1, 100)], someCall());
      await turn();
      const tooLong = [row(2, 100), row(3, 100)];
      const tooMany = [4, 5, 6, 7].map((id) => row(id));
      for (const rows of [tooLong, tooMany]) {
        const soonMs = clock.now() + 200;
        await assert.rejects(batcher.submit(rows, as("", soonMs)));
        await assert.rejects(
          batcher.submit(rows, someCall({ deadlineMs: soonMs, origin: { isUnasked: true } })),
        );
      }
      const hasty = batcher.submit([row(2, 10)], as("", clock.now() + 220));
      void batcher.submit([row(3, 11)], someCall());
      await turn();
      clock.advance(215);
      await end(4);
      reasonOf((await hasty)[0]);
      assert.deepEqual(told, [
        ["too_late", 2],
        ["queue_full", 4],
        ["outrun", 1],
      ]);
    });

    it("has room for a key that has little when another's rows have filled the queue", async () => {
      const batcher = await learned({ maxQueuedRows: 10 });
      const rows = (count: number) => Array.from({ length: count }, (_, id) => row(id));
      const submit = (holder: string, count: number) =>
        batcher.submit(rows(count), as(holder, forever));
      void submit("busy", 1);
      await turn();
      void submit("busy", 10);
      await assert.rejects(submit("busy", 1), /The queue is full \(10 texts wait\)/);
      void submit("calm", 5);
      await assert.rejects(submit("calm", 1), /The queue is full/);
      void submit("another", 3);
      assert.equal(batcher.queued.size, 18);
      const names = ["a", "b", "c", "d"];
      const taken = names.filter((name) => {
        const before = batcher.queued.size;
        void submit(name, 1).catch(() => {});
        return batcher.queued.size > before;
      });
      assert.deepEqual(taken, ["a", "b"]);
    });

    it("takes anything while it is idle: an estimate that is wrong must not keep all away", async () => {
      const batcher = await learned({ maxWaitMs: 100 });
      const answer = batcher.submit([row(1, 500)], someCall());
      await turn();
      await end(4);
      assert.deepEqual(answered(await answer), [1]);
    });
  });

  describe("a caller that leaves", () => {
    it("while it waits takes no place in a batch, and its neighbours are answered", async () => {
      const batcher = held();
      const first = batcher.submit([row(1)], someCall());
      await turn();
      const leaving = new AbortController();
      const before = batcher.submit([row(2)], someCall());
      const leaver = batcher.submit([row(3), row(4)], someCall({ signal: leaving.signal }));
      const after = batcher.submit([row(5)], someCall());
      leaving.abort(left);
      await assert.rejects(leaver, left);
      assert.equal(batcher.queued.size, 2);
      await end(0);
      assert.deepEqual(idsOf(runs[1]), [2, 5]);
      await end(1);
      assert.deepEqual((await Promise.all([first, before, after])).map(answered), [[1], [2], [5]]);
    });

    it("in the turn of its call takes no place in a batch", async () => {
      const leaving = new AbortController();
      const leaver = held().submit([row(1)], someCall({ signal: leaving.signal }));
      leaving.abort(left);
      await assert.rejects(leaver, left);
      await turn();
      assert.equal(runs.length, 0);
    });

    it("while its batch runs is told at once, and its neighbours are answered", async () => {
      const batcher = held();
      const leaving = new AbortController();
      const before = batcher.submit([row(1)], someCall());
      const leaver = batcher.submit([row(2)], someCall({ signal: leaving.signal }));
      const after = batcher.submit([row(3)], someCall());
      await turn();
      leaving.abort(left);
      await assert.rejects(leaver, left);
      assert.equal(runs.length, 1);
      await end(0);
      assert.deepEqual((await Promise.all([before, after])).map(answered), [[1], [3]]);
      // And the next one finds the backend free.
      const next = batcher.submit([row(4)], someCall());
      await turn();
      await end(1);
      assert.deepEqual(answered(await next), [4]);
    });

    it("with rows in a batch and rows in the queue takes the latter away", async () => {
      const batcher = held({ limits: { ...ANY_LENGTHS, minRows: 1 } });
      const leaving = new AbortController();
      const leaver = batcher.submit([row(1), row(2)], someCall({ signal: leaving.signal }));
      const after = batcher.submit([row(3)], someCall());
      await turn();
      leaving.abort(left);
      await assert.rejects(leaver, left);
      await end(0);
      assert.deepEqual(runs.map(idsOf), [[1], [3]]);
      await end(1);
      assert.deepEqual(answered(await after), [3]);
    });

    it("before its call is refused with its reason, and takes no place", async () => {
      const batcher = held();
      await assert.rejects(
        batcher.submit([row(1)], someCall({ signal: AbortSignal.abort(left) })),
        left,
      );
      await turn();
      assert.equal(batcher.queued.size, 0);
      assert.equal(runs.length, 0);
    });

    it("before its call is told its own reason, though the queue is full as well", async () => {
      const batcher = held({ maxQueuedRows: 0 });
      await assert.rejects(
        batcher.submit([row(1)], someCall({ signal: AbortSignal.abort(left) })),
        left,
      );
    });

    it("after its answer changes nothing, and no listener stays behind", async () => {
      const leaving = new AbortController();
      const answer = held().submit([row(1)], someCall({ signal: leaving.signal }));
      await turn();
      await end(0);
      leaving.abort(left);
      assert.deepEqual(answered(await answer), [1]);
      assert.equal(getEventListeners(leaving.signal, "abort").length, 0);
    });

    it("is listened for once a call, however many rows the call has", async () => {
      const warnings: Error[] = [];
      const note = (warning: Error) => warnings.push(warning);
      process.on("warning", note);
      try {
        const { signal } = new AbortController();
        const batcher = new Batcher(
          async (rows) => ({ results: rows.map(echoOf) }),
          OPTIONS,
          clock,
        );
        const rows = Array.from({ length: 200 }, (_, id) => row(id));
        const answer = batcher.submit(rows, someCall({ signal }));
        assert.equal(getEventListeners(signal, "abort").length, 1);
        assert.deepEqual(answered(await answer), [...rows.keys()]);
        await turn();
      } finally {
        process.off("warning", note);
      }
      assert.deepEqual(warnings, []);
    });
  });

  describe("a full queue", () => {
    const full = (waiting: number) =>
      serviceError("OVERLOADED", `The queue is full (${waiting} texts wait): try again later.`, {
        retryAfterMs: 1000,
      });

    it("refuses at once what is over the limit, and takes it again when there is room", async () => {
      const batcher = held({ maxQueuedRows: 2 });
      const answers = [batcher.submit([row(1)], someCall())];
      await turn();
      answers.push(batcher.submit([row(2), row(3)], someCall()));
      await assert.rejects(batcher.submit([row(4)], someCall()), full(2));
      assert.equal(batcher.queued.size, 2);
      await end(0);
      answers.push(batcher.submit([row(5)], someCall()));
      await end(1);
      await end(2);
      assert.deepEqual(runs.map(idsOf), [[1], [2, 3], [5]]);
      assert.deepEqual((await Promise.all(answers)).map(answered), [[1], [2, 3], [5]]);
    });

    it("takes no part of a call that does not fit as a whole", async () => {
      const batcher = held({ maxQueuedRows: 2 });
      await assert.rejects(batcher.submit([row(1), row(2), row(3)], someCall()), full(0));
      await turn();
      assert.equal(batcher.queued.size, 0);
      assert.equal(runs.length, 0);
    });

    it("has room again when a caller that waits leaves", async () => {
      const batcher = held({ maxQueuedRows: 1 });
      const first = batcher.submit([row(1)], someCall());
      await turn();
      const leaving = new AbortController();
      const leaver = batcher.submit([row(2)], someCall({ signal: leaving.signal }));
      await assert.rejects(batcher.submit([row(3)], someCall()), full(1));
      leaving.abort(left);
      await assert.rejects(leaver, left);
      const taken = batcher.submit([row(4)], someCall());
      await end(0);
      await end(1);
      assert.deepEqual((await Promise.all([first, taken])).map(answered), [[1], [4]]);
    });
  });

  describe("a model that fails", () => {
    it("on one row fails that row alone, and halves to find it", async () => {
      const [run, calls] = recorder(async (rows: readonly (readonly number[])[]) => {
        if (rows.some(([id]) => id === 3)) throw refused;
        return { results: rows.map(echoOf) };
      });
      const options = { ...OPTIONS, blames: (error: unknown) => error === refused };
      const batcher = new Batcher(run, options, clock);
      const neighbour = batcher.submit([row(1), row(2)], someCall());
      const [bad, good] = await batcher.submit([row(3), row(4)], someCall());
      assert.equal(reasonOf(bad), refused);
      assert.equal(resultOf(good).logits[0], 4);
      // What the row was queued in, not what was tried last.
      assert.equal(resultOf(good).batchRows, 4);
      assert.deepEqual(answered(await neighbour), [1, 2]);
      assert.deepEqual(
        calls.map(([rows]) => rows.map(([id]) => id)),
        [[1, 2, 3, 4], [1, 2], [3, 4], [3], [4]],
      );
    });

    it("for no row's fault fails the whole batch, but not the next one", async () => {
      const batcher = held();
      const answers = [batcher.submit([row(1)], someCall()), batcher.submit([row(2)], someCall())];
      await turn();
      const later = batcher.submit([row(3)], someCall());
      runs[0]?.fail(refused);
      for (const outcomes of await Promise.all(answers)) {
        assert.deepEqual(outcomes.map(reasonOf), [refused]);
      }
      await turn();
      assert.deepEqual(runs.map(idsOf), [[1, 2], [3]]);
      await end(1);
      assert.deepEqual(answered(await later), [3]);
    });

    it("with too few results rejects the batch instead of mixing up its rows", async () => {
      const batcher = held();
      const answer = batcher.submit([row(1), row(2)], someCall());
      await turn();
      runs[0]?.answer([echoOf([1])]);
      for (const outcome of await answer) {
        assert.equal(String(reasonOf(outcome)), "Error: 2 rows went in, 1 came out");
      }
    });
  });

  describe("what it tells of the callers of a batch", () => {
    const traced = (deadlineMs: number, traceparent: string) =>
      someCall({ deadlineMs, origin: { traceparent, tracestate: `of=${traceparent}` } });

    it("is the last of their deadlines, and the trace of the one that has waited longest", async () => {
      const batcher = held();
      const first = batcher.submit([row(1)], someCall());
      await turn();
      const answers = [
        batcher.submit([row(2, 9)], traced(500, "longest")),
        batcher.submit([row(3, 3)], traced(900, "latest")),
      ];
      await end(0);
      assert.deepEqual(idsOf(runs[1]), [3, 2]);
      assert.equal(runs[1]?.context.deadlineMs, 900);
      assert.equal(runs[1]?.context.traceparent, "longest");
      assert.equal(runs[1]?.context.tracestate, "of=longest");
      await end(1);
      await Promise.all([first, ...answers]);
    });

    it("is no deadline and no trace where its call says nothing of them", async () => {
      const answer = held().submit([row(1)], someCall());
      await turn();
      assert.equal(runs[0]?.context.deadlineMs, Number.POSITIVE_INFINITY);
      assert.equal(runs[0]?.context.traceparent, undefined);
      await end(0);
      await answer;
    });

    it("is that they have left, once the last of them has", async () => {
      const batcher = held();
      const callers = [new AbortController(), new AbortController()];
      const answers = callers.map(({ signal }, id) =>
        batcher.submit([row(id), row(id)], someCall({ signal })),
      );
      await turn();
      const signal = runs[0]?.context.signal;
      callers[0]?.abort(left);
      assert.equal(signal?.aborted, false);
      callers[1]?.abort(left);
      assert.equal(signal?.aborted, true);
      for (const answer of answers) await assert.rejects(answer, left);
      await end(0);
      for (const caller of callers) {
        assert.equal(getEventListeners(caller.signal, "abort").length, 0);
      }
    });
  });

  it("tells how long rows waited, how long the model took, and how full the batch was", async () => {
    const [ran, batches] = recorder((_batch: BatchRun) => {});
    const [waited, waits] = recorder((_queueMs: number) => {});
    const batcher = held({ events: { ...NO_EVENTS, ran, waited } });
    const alone = batcher.submit([row(1, 4)], someCall());
    await turn();
    clock.advance(3);
    const longer = batcher.submit([row(2, 4)], someCall());
    clock.advance(2);
    const shorter = batcher.submit([row(3, 3)], someCall());
    clock.advance(2);
    await end(0);
    clock.advance(10);
    await end(1);
    const timings = (await Promise.all([alone, longer, shorter])).map(([outcome]) => {
      const { logits: _, version: __, ...rest } = resultOf(outcome);
      return rest;
    });
    assert.deepEqual(timings, [
      { queueMs: 0, inferenceMs: 7, batchRows: 1, paddingRatio: 0 },
      { queueMs: 4, inferenceMs: 10, batchRows: 2, paddingRatio: 0.125 },
      { queueMs: 2, inferenceMs: 10, batchRows: 2, paddingRatio: 0.125 },
    ]);
    assert.deepEqual(batches.flat(), [
      { rows: 1, inferenceMs: 7, paddingRatio: 0 },
      { rows: 2, inferenceMs: 10, paddingRatio: 0.125 },
    ]);
    assert.deepEqual(waits.flat().sort(), [0, 2, 4]);
  });

  it("tells nothing of a batch that nothing came of", async () => {
    const [ran, batches] = recorder((_batch: BatchRun) => {});
    const [waited, waits] = recorder((_queueMs: number) => {});
    const batcher = held({ events: { ...NO_EVENTS, ran, waited } });
    const answer = batcher.submit([row(1)], someCall());
    await turn();
    runs[0]?.fail(refused);
    assert.equal(reasonOf((await answer)[0]), refused);
    assert.deepEqual([batches, waits], [[], []]);
  });

  it("lets a long row go in time under a steady stream of short ones", async () => {
    const batcher = held({ limits: { ...ANY_LENGTHS, maxPaddingRatio: 0.12 } });
    let next = 100;
    const stream = (rows: number) => {
      for (let n = 0; n < rows; n++) void batcher.submit([row(next++, 5)], someCall());
    };
    stream(20);
    await turn();
    void batcher.submit([row(1, 400)], someCall());
    let batch = 0;
    let tokens = 0;
    while (!idsOf(runs[batch])?.includes(1)) {
      const rows = idsOf(runs[batch])?.length ?? 0;
      tokens += 5 * rows;
      // As many come as a batch takes: the queue never empties.
      stream(rows);
      await end(batch++);
      assert.ok(tokens <= 2 * 400, `${tokens} tokens went before it`);
    }
    assert.deepEqual(idsOf(runs[batch]), [1]);
    assert.ok(batcher.queued.size > 0);
  });

  for (const seed of [1, 2, 3, 4, 5]) {
    it(`answers each row with its own result while callers come and go (seed ${seed})`, async () => {
      const limits = { ...ANY_LENGTHS, minRows: 3, rows: 6, maxRows: 9, maxWork: 200 };
      const batcher = held({ limits, concurrency: 2, maxInFlight: 2, maxQueuedRows: 100_000 });
      await comeAndGo(batcher, runs, seeded(seed));
      assert.equal(batcher.queued.size, 0);
      const ran = runs.flatMap(({ rows }) => rows.map(([id]) => id));
      assert.equal(new Set(ran).size, ran.length, "a row ran twice");
      for (const { rows } of runs) {
        const longest = Math.max(...rows.map(({ length }) => length));
        assert.ok(rows.length <= 9 && (rows.length === 1 || longest * rows.length <= 200));
      }
    });
  }
});

/** Random callers, of whom some leave; batches end in any order. Ends when everybody who stayed has its own answers. */
async function comeAndGo(batcher: Batcher, runs: readonly HeldRun[], draw: Draw): Promise<void> {
  const open: AbortController[] = [];
  const checks: Promise<void>[] = [];
  let ended = 0;
  let id = 0;
  const come = () => {
    const rows = Array.from({ length: draw(0, 6) }, () => row(++id, draw(1, 60)));
    const caller = new AbortController();
    open.push(caller);
    checks.push(
      batcher.submit(rows, someCall({ signal: caller.signal })).then(
        (outcomes) =>
          assert.deepEqual(
            outcomes.map((one) => resultOf(one).logits),
            rows.map((one) => echoOf(one).logits),
          ),
        (error) => assert.equal(error, left),
      ),
    );
  };
  const steps = [
    come,
    come,
    () => open[draw(0, open.length)]?.abort(left),
    () => runs[ended++]?.answer(),
  ];
  for (let step = 0; step < 300; step++) {
    steps[draw(0, 3)]?.();
    ended = Math.min(ended, runs.length);
    if (draw(0, 1) === 1) await turn();
  }
  for (await turn(); ended < runs.length; await turn()) runs[ended++]?.answer();
  await Promise.all(checks);
}
