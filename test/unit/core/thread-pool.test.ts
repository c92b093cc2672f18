import assert from "node:assert/strict";
import { systemClock } from "../../../server/core/clock.js";
import { ServiceError } from "../../../server/core/errors.js";
import type { ThreadKind } from "../../../server/core/supervised-thread.js";
import { ThreadPool } from "../../../server/core/thread-pool.js";

/** Answers once the cell that it is sent is set. */
const HELD = `
  import { parentPort } from "node:worker_threads";
  parentPort.on("message", (cell) => {
    Atomics.wait(cell, 0, 0);
    parentPort.postMessage({ kind: "done", result: "", ms: 5 });
  });
`;
const DEPTH = 2;

const kindOf = (takesAllCores: boolean): ThreadKind<Int32Array> => ({
  entry: new URL(`data:text/javascript,${encodeURIComponent(HELD)}`),
  name: "held",
  depth: DEPTH,
  takesAllCores,
  work: () => ({ lane: "", size: 1 }),
  lanesStay: true,
  leaves: () => undefined,
  mostLooks: () => Number.POSITIVE_INFINITY,
  isEndable: true,
  refused: (error) => new Error(error),
  lost: () => new ServiceError("BACKEND_DOWN", "lost"),
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

  /** Rests of the event loop while each of two threads has so many requests, and when all are answered. */
  async function restsWith(requests: number, takesAllCores: boolean) {
    const cells = Array.from({ length: 2 * requests }, cellOf);
    await using pool = new ThreadPool<Int32Array, string>(
      2,
      kindOf(takesAllCores),
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
    const { during, after } = await restsWith(DEPTH, true);
    assert.ok(during > 0);
    assert.equal(after, 0);
  });

  it("has it look at once where a thread has only what it works on, or leaves it a core", async () => {
    assert.equal((await restsWith(DEPTH - 1, true)).during, 0);
    assert.equal((await restsWith(DEPTH, false)).during, 0);
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
