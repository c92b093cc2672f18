import assert from "node:assert/strict";
import { systemClock } from "../../../server/core/clock.js";
import type { ThreadKind } from "../../../server/core/thread-kind.js";
import { ThreadPool } from "../../../server/core/thread-pool.js";
import { threadKind } from "../../support/thread-kind.js";

/** Answers once the cell that it is sent is set; says that it took so long. */
const held = (ms: number) => `
  import { workerData } from "node:worker_threads";
  workerData.port.on("message", (cell) => {
    Atomics.wait(cell, 0, 0);
    workerData.port.postMessage({ kind: "done", result: "", ms: ${ms} });
  });
`;
const DEPTH = 2;

const kindOf = (takesAllCores: boolean, ms: number): ThreadKind<Int32Array> => ({
  ...threadKind(held(ms)),
  depth: DEPTH,
  takesAllCores,
  // What is known of a lane is known of its next request.
  lanesStay: true,
});

describe("a thread pool", () => {
  let rests: number;
  const { wait } = Atomics;
  beforeEach(() => {
    rests = 0;
    Atomics.wait = ((...args: Parameters<typeof wait>) => {
      rests++;
      return wait(...args);
    }) as typeof wait;
  });
  afterEach(() => {
    Atomics.wait = wait;
  });

  /** Rests of the event loop while two threads have so many requests, of `ms` each, and when all are answered. */
  async function restsWith(requests: number, takesAllCores = true, ms = 5) {
    const cells = Array.from({ length: requests }, cellOf);
    await using pool = new ThreadPool<Int32Array, string>(
      2,
      kindOf(takesAllCores, ms),
      systemClock,
      () => {},
    );
    // A thread has two only where it is known what they take.
    const first = cellOf();
    release(first);
    await pool.ask(first);
    rests = 0;
    const answers = cells.map((cell) => pool.ask(cell));
    await rounds();
    const during = rests;
    cells.forEach(release);
    await Promise.all(answers);
    rests = 0;
    await rounds();
    return { during, after: rests };
  }

  it("has the event loop rest while all threads have something to go on with", async () => {
    const { during, after } = await restsWith(2 * DEPTH);
    assert.ok(during > 0);
    assert.equal(after, 0);
  });

  it("has it look at once where a thread has only what it works on, or next to nothing behind that", async () => {
    assert.equal((await restsWith(2)).during, 0);
    assert.equal((await restsWith(2 * DEPTH - 1)).during, 0);
    assert.equal((await restsWith(2 * DEPTH, true, 0.5)).during, 0);
  });

  it("has it look at once where threads leave it a core", async () => {
    assert.equal((await restsWith(2 * DEPTH, false)).during, 0);
  });
});

const cellOf = () => new Int32Array(new SharedArrayBuffer(4));

function release(cell: Int32Array): void {
  Atomics.store(cell, 0, 1);
  Atomics.notify(cell, 0);
}

async function rounds(): Promise<void> {
  for (let n = 0; n < 5; n++) await new Promise<void>((resume) => setImmediate(resume));
}
