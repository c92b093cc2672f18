import assert from "node:assert/strict";
import { setTimeout as sleep, setImmediate as turn } from "node:timers/promises";
import {
  isAskedAgain,
  isCallAskedAgain,
  Patience,
} from "../../../../clients/node/asking/patience.js";
import { SentimentError } from "../../../../clients/node/errors.js";

const DOWN = new SentimentError("UNAVAILABLE", "nobody is there");

/** The caught error. */
function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  assert.fail("nothing was thrown");
}

describe("patience", () => {
  it("doubles its delays up to five seconds, and a fifth more at most", () => {
    const patience = new Patience({}, () => 0);
    for (const [tries, leastMs] of [
      [1, 100],
      [2, 200],
      [3, 400],
      [6, 3200],
      [7, 5000],
      [500, 5000],
    ] as const) {
      const delayMs = patience.delayMs(DOWN, tries);
      assert.ok(delayMs >= leastMs && delayMs <= leastMs * 1.2, `${tries}: ${delayMs}`);
    }
  });

  it("waits as long as the server wants, and tells of it", () => {
    const told: unknown[] = [];
    const onRetry = (...what: unknown[]) => told.push(what);
    const patience = new Patience({ onRetry }, () => 0);
    const busy = new SentimentError("RESOURCE_EXHAUSTED", "busy", { retryAfterMs: 7000 });
    const delayMs = patience.delayMs(busy, 1);
    assert.ok(delayMs >= 7000 && delayMs <= 8400);
    assert.deepEqual(told, [[busy, delayMs]]);
  });

  it("gives up when the next try would be too late, counted from the first failure after an answer", () => {
    let nowMs = 1_000_000;
    const patience = new Patience({ giveUpMs: 1000 }, () => nowMs);
    patience.delayMs(DOWN, 1);
    nowMs += 800;
    patience.delayMs(DOWN, 1);
    nowMs += 150;
    const gaveUp = thrownBy(() => patience.delayMs(DOWN, 1));
    assert.ok(gaveUp instanceof SentimentError);
    assert.equal(gaveUp.message, "no answer within 1 s; the last failure: nobody is there");
    assert.equal(isAskedAgain(gaveUp), false);
    patience.answered();
    assert.ok(patience.delayMs(DOWN, 1) > 0);
    const later = new SentimentError("RESOURCE_EXHAUSTED", "busy", { retryAfterMs: 1001 });
    assert.ok(thrownBy(() => patience.delayMs(later, 1)) instanceof SentimentError);
  });

  /** Whether it has given up when silence has been watched for ten times as long, or until it has. */
  async function isGivenUp(giveUpMs: number, isOwed: () => boolean): Promise<boolean> {
    const given = new AbortController();
    const timer = new Patience({ giveUpMs }).watch(isOwed, (error) => given.abort(error));
    await sleep(10 * giveUpMs, undefined, { signal: given.signal }).catch(() => {});
    clearInterval(timer);
    return given.signal.aborted;
  }

  it("gives up a server that is silent while it owes answers", async () => {
    assert.equal(await isGivenUp(20, () => true), true);
    assert.equal(await isGivenUp(20, () => false), false);
    const patience = new Patience({ giveUpMs: 40 });
    const words = await new Promise<string>((resolve) => {
      const timer = patience.watch(
        () => true,
        ({ code, message }) => {
          clearInterval(timer);
          resolve(`${code}: ${message}`);
        },
      );
    });
    assert.equal(words, "UNAVAILABLE: no answer within 0.04 s");
  });

  it("waits for answers as long as they take where nothing is asked again, and where it never gives up", () => {
    assert.equal(
      new Patience({ giveUpMs: 0 }).watch(() => true, assert.fail),
      undefined,
    );
    const timer = new Patience({ giveUpMs: Infinity }).watch(() => true, assert.fail);
    // A timer of Infinity would fire at once.
    assert.ok((timer?.[Symbol.toPrimitive]() ?? 0) > 0);
    clearInterval(timer);
  });

  it("does not take a thread that is held up for a silent server", async () => {
    const patience = new Patience({ giveUpMs: 50 });
    const timer = patience.watch(() => true, assert.fail);
    const endMs = performance.now() + 200;
    while (performance.now() < endMs);
    // Timers fire before what has come in meanwhile is read.
    await turn();
    patience.answered();
    clearInterval(timer);
  });

  it("is for what may be mended by waiting", () => {
    assert.equal(isAskedAgain(DOWN), true);
    assert.equal(isAskedAgain(new SentimentError("RESOURCE_EXHAUSTED", "busy")), true);
    const metadata = { reason: "METADATA_TOO_LARGE" };
    assert.equal(isAskedAgain(new SentimentError("RESOURCE_EXHAUSTED", "no", metadata)), false);
    for (const code of ["INTERNAL", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "CANCELLED"] as const)
      assert.equal(isAskedAgain(new SentimentError(code, "no")), false);
    assert.equal(isAskedAgain(new Error("UNAVAILABLE")), false);
  });

  it("is, of a call, also for what gRPC itself says of one that is lost", () => {
    for (const code of ["CANCELLED", "INTERNAL", "UNKNOWN", "DEADLINE_EXCEEDED"] as const) {
      assert.equal(isCallAskedAgain(new SentimentError(code, "gone")), true);
      assert.equal(isCallAskedAgain(new SentimentError(code, "no", { reason: "BUG" })), false);
    }
    assert.equal(isCallAskedAgain(DOWN), true);
    assert.equal(isCallAskedAgain(new SentimentError("UNIMPLEMENTED", "no")), false);
    assert.equal(isCallAskedAgain(new DOMException("no", "AbortError")), false);
  });
});
