import assert from "node:assert/strict";
import fc from "fast-check";
import { Batcher, type BatcherOptions } from "../../../server/batch/batcher.js";
import type { BatchPolicy } from "../../../server/batch/plan.js";
import type { Outcome } from "../../../server/batch/row.js";
import { Singles } from "../../../server/batch/singles.js";
import { FakeClock } from "../../support/fake-clock.js";
import { NO_EVENTS } from "../../support/no-events.js";
import { type HeldRun, heldRuns, turn } from "../../support/recorder.js";
import { someCall } from "../../support/some-call.js";
import { seeded } from "../seeded.js";

const LIMITS = {
  rows: 6,
  minRows: 2,
  maxRows: 8,
  maxWork: 64,
  maxPaddingRatio: 0.25,
  paddingCost: 1,
};
const OPTIONS: Omit<BatcherOptions, "policy"> = {
  singles: new Singles(),
  limits: LIMITS,
  concurrency: 2,
  maxInFlight: 2,
  maxQueuedRows: 10_000,
  maxWaitMs: 1e9,
  blames: () => false,
  events: NO_EVENTS,
};
const POLICIES: readonly BatchPolicy[] = ["cost", "guide", "fifo", "single"];

/** Tokens of a row. */
const SHORTEST = 10;
/** Batches that begin before a text that comes when its key has nothing else: rows may be due when it is. */
const MOST_BEFORE = 1;

interface Submitted {
  /** First id and length of each row. */
  readonly rows: readonly (readonly [id: number, length: number])[];
  readonly leaving: AbortController;
  readonly outcomes: Promise<readonly Outcome[] | undefined>;
}

/** A batcher over a model that answers when it is told to, and whoever calls it. */
class Bench {
  readonly clock = new FakeClock();
  readonly runs: readonly HeldRun[];
  readonly calls: Submitted[] = [];
  readonly batcher: Batcher;
  #ids = 0;
  #ended = 0;

  constructor(policy: BatchPolicy) {
    const [run, runs] = heldRuns();
    this.runs = runs;
    this.batcher = new Batcher(run, { ...OPTIONS, policy }, this.clock);
  }

  submit(lengths: readonly number[], holder: string): void {
    const rows = lengths.map((length) => [this.#ids++, length] as const);
    const leaving = new AbortController();
    const call = someCall({ signal: leaving.signal, origin: { holder } });
    const ids = rows.map(([id, length]) => [id, ...Array<number>(length - 1).fill(0)]);
    const outcomes = this.batcher.submit(ids, call).catch(() => undefined);
    this.calls.push({ rows, leaving, outcomes });
  }

  /** The model is done with the batch that it has had longest. */
  end(): void {
    const run = this.runs[this.#ended];
    if (run === undefined) return;
    this.#ended++;
    run.answer();
  }

  async endAll(): Promise<void> {
    await turn();
    while (this.#ended < this.runs.length) {
      this.end();
      await turn();
    }
  }
}

type Step = (bench: Bench) => void;

const submitted = fc
  .tuple(fc.array(fc.integer({ min: 1, max: 90 }), { maxLength: 12 }), fc.constantFrom("a", "b"))
  .map(
    ([lengths, holder]): Step =>
      (bench) =>
        bench.submit(lengths, holder),
  );
const ended = fc.constant<Step>((bench) => bench.end());
const waited = fc.integer({ min: 1, max: 50 }).map(
  (ms): Step =>
    (bench) =>
      bench.clock.advance(ms),
);
const left = fc.nat(20).map(
  (place): Step =>
    (bench) =>
      bench.calls[place % (bench.calls.length || 1)]?.leaving.abort(new Error("it left")),
);
const step = fc.oneof(
  { weight: 4, arbitrary: submitted },
  { weight: 4, arbitrary: ended },
  { weight: 2, arbitrary: waited },
  { weight: 1, arbitrary: left },
);

/** A batch of several rows keeps to all that its policy has bounds for. */
function assertWithin(policy: BatchPolicy, lengths: readonly number[]): void {
  const most = { cost: LIMITS.maxRows, guide: LIMITS.maxRows, fifo: LIMITS.rows, single: 1 }[
    policy
  ];
  assert.ok(lengths.length <= most, `${lengths.length} rows`);
  if (policy === "fifo" || lengths.length === 1) return;
  const padded = Math.max(...lengths) * lengths.length;
  const padding = padded - lengths.reduce((sum, length) => sum + length, 0);
  assert.ok(padded <= LIMITS.maxWork, `${padded} tokens`);
  assert.ok(padding <= padded * LIMITS.maxPaddingRatio, `${padding} of ${padded} padded`);
}

function assertRunOnce({ runs }: Bench, policy: BatchPolicy): void {
  const run = runs.flatMap(({ rows }) => rows.map(([id]) => id));
  assert.equal(new Set(run).size, run.length, "a row was run twice");
  for (const { rows } of runs)
    assertWithin(
      policy,
      rows.map(({ length }) => length),
    );
}

/** Unless its caller has left. */
async function assertAnswered({ rows, leaving, outcomes }: Submitted): Promise<void> {
  const answers = await outcomes;
  if (leaving.signal.aborted) return;
  const said = answers?.map((one) => one.status === "fulfilled" && Array.from(one.value.logits));
  assert.deepEqual(
    said,
    rows.map((row) => [...row]),
  );
}

/** Batches until a row of that length is run, while each batch that ends is followed by more rows than it had; Infinity: it never is. */
async function batchesBefore(length: number): Promise<number> {
  const draw = seeded(length);
  const bench = new Bench("cost");
  const add = (calls: number) => {
    for (let call = 0; call < calls; call++) bench.submit([draw(1, 60)], "a");
  };
  add(30);
  await turn();
  bench.submit([length], "a");
  const marked = bench.calls.at(-1)?.rows[0]?.[0];
  for (let batches = 0; batches < 400; batches++) {
    if (bench.runs.some(({ rows }) => rows.some(([id]) => id === marked))) return batches;
    bench.clock.advance(10);
    bench.end();
    add(9);
    await turn();
  }
  return Number.POSITIVE_INFINITY;
}

describe("whatever is asked of a batcher", () => {
  it("runs each row in one batch within its bounds, and answers each call with its own rows", async () => {
    const steps = fc.array(step, { size: "medium", maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...POLICIES), steps, async (policy, taken) => {
        const bench = new Bench(policy);
        for (const take of taken) {
          take(bench);
          await turn();
        }
        await bench.endAll();
        assertRunOnce(bench, policy);
        for (const call of bench.calls) await assertAnswered(call);
        assert.deepEqual([bench.batcher.queued.size, bench.batcher.queued.tokens], [0, 0]);
      }),
      { seed: 1, numRuns: 150 },
    );
  }).timeout(20_000);

  it("has a key's only text wait for a few batches, wherever another key is with a large call and small ones", async () => {
    const small = fc.nat(8);
    const large = fc.array(fc.integer({ min: SHORTEST, max: 90 }), {
      minLength: 20,
      maxLength: 60,
    });
    const ended = fc.nat(20);
    await fc.assert(
      fc.asyncProperty(small, large, ended, async (calls, lengths, batches) => {
        const bench = new Bench("cost");
        for (let call = 0; call < calls; call++) bench.submit([SHORTEST], "busy");
        bench.submit(lengths, "busy");
        await turn();
        for (let batch = 0; batch < batches; batch++) {
          bench.end();
          await turn();
        }
        const begun = bench.runs.length;
        bench.submit([SHORTEST], "calm");
        const marked = bench.calls.at(-1)?.rows[0]?.[0];
        await bench.endAll();
        const place = bench.runs.findIndex(({ rows }) => rows.some(([id]) => id === marked));
        assert.ok(place - begun <= MOST_BEFORE, `${place - begun} batches went before it`);
      }),
      { seed: 1, numRuns: 200 },
    );
  }).timeout(20_000);

  it("runs every row in time, though more comes than it can do", async () => {
    for (const length of [1, 20, 60, 90])
      assert.ok((await batchesBefore(length)) < 400, `a row of ${length} tokens still waits`);
  }).timeout(20_000);
});
