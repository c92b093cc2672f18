import assert from "node:assert/strict";
import { SupervisedThread } from "../../../server/core/supervised-thread.js";
import type { ThreadKind } from "../../../server/core/thread-kind.js";
import { FakeClock } from "../../support/fake-clock.js";
import { until } from "../../support/held-backend.js";
import { threadKind } from "../../support/thread-kind.js";

/** Says back what it is told, and ends with "end". */
const ECHO = `
  import { workerData } from "node:worker_threads";
  workerData.port.on("message", (said) => said === "end" ? process.exit(1) : workerData.port.postMessage({ kind: "done", result: said, ms: 0 }));
`;

/** Answers the first, and dies over the second. */
const DYING = `
  import { workerData } from "node:worker_threads";
  workerData.port.on("message", (said) => said === "die" ? process.exit(1) : workerData.port.postMessage({ kind: "done", result: said, ms: 0 }));
`;

describe("a supervised thread", () => {
  it("that dies has answered what it answered before, also where nobody has looked yet", async () => {
    const kind: ThreadKind<string> = { ...threadKind(DYING), depth: 2 };
    const thread = new SupervisedThread<string, string>(
      kind,
      new FakeClock(),
      () => {},
      () => {},
    );
    await thread.ask("up");
    const [first, second] = [thread.ask("one"), thread.ask("die")];
    const isLost = assert.rejects(second, /lost/);
    // The event loop is busy until the thread is gone.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
    assert.equal((await first).result, "one");
    await isLost;
    await thread.close();
  });

  it("is replaced later where the system has no room for one", async () => {
    let refusals = 0;
    const kind: ThreadKind<string> = {
      ...threadKind(ECHO),
      // What the system refuses, the constructor of a Worker throws.
      get entry() {
        if (refusals-- > 0) throw new Error("no room");
        return threadKind(ECHO).entry;
      },
    };
    const clock = new FakeClock();
    const events: string[] = [];
    const report = (event: string, detail: string) => void events.push(`${event}: ${detail}`);
    const thread = new SupervisedThread<string, string>(kind, clock, () => {}, report);
    assert.equal((await thread.ask("one")).result, "one");
    await assert.rejects(thread.ask("end"), /lost/);
    refusals = 2;
    for (const [restMs, seen] of [
      [100, "failed: no room"],
      [200, "failed: no room"],
      [400, "replaced: 0 loaded"],
    ] as const) {
      assert.equal(thread.free, false);
      clock.advance(restMs);
      await until(() => events.at(-1) === seen);
      assert.equal(thread.failing, seen.startsWith("failed"));
      events.push("seen");
    }
    assert.equal((await thread.ask("two")).result, "two");
    await thread.close();
    assert.equal(clock.pending, 0);
  });
});
