import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import {
  eitherOf,
  Leaving,
  onAbort,
  orAbort,
  type Signal,
  withLimit,
} from "../../../server/core/abort.js";
import { Chain } from "../../../server/core/chain.js";
import { valuesOf } from "../../support/chain-values.js";
import { FakeClock } from "../../support/fake-clock.js";
import { recorder, turn } from "../../support/recorder.js";

const left = new Error("the caller left");
const tooLate = new Error("too late");
/** Who wants to know when the signal fires. */
function listeners(signal: Signal): number {
  const kept = Object.getOwnPropertySymbols(signal).find((one) => one.description === "listeners");
  const leaving: unknown = kept && Reflect.get(signal, kept);
  return leaving instanceof Chain ? valuesOf(leaving).length : 0;
}

describe("onAbort", () => {
  const made = {
    "an AbortController": () => {
      const caller = new AbortController();
      return { signal: caller.signal, abort: (reason: unknown) => caller.abort(reason) };
    },
    "a Leaving": () => {
      const signal = new Leaving();
      return { signal, abort: (reason: unknown) => signal.abort(reason) };
    },
  };
  for (const [kind, make] of Object.entries(made)) {
    it(`of ${kind} tells all who still wait, once`, () => {
      const { signal, abort } = make();
      const told: string[] = [];
      const stays = ["one", "two", "three"].map((name) => onAbort(signal, () => told.push(name)));
      stays[1]?.();
      assert.equal(listeners(signal), 2);
      signal.throwIfAborted();
      abort(left);
      abort(tooLate);
      assert.deepEqual(told, ["one", "three"]);
      assert.equal(listeners(signal), 0);
      assert.deepEqual([signal.aborted, signal.reason], [true, left]);
      assert.throws(() => signal.throwIfAborted(), left);
    });

    it(`of ${kind} lets one who is told call off the others`, () => {
      const { signal, abort } = make();
      const told: string[] = [];
      const stays: (() => void)[] = [];
      for (const name of ["one", "two"])
        stays.push(
          onAbort(signal, () => {
            told.push(name);
            for (const stay of stays) stay();
          }),
        );
      abort(left);
      assert.deepEqual(told, ["one"]);
    });
  }

  it("has one listener at an AbortSignal, however many wait", () => {
    const { signal } = new AbortController();
    for (const _ of [1, 2, 3]) onAbort(signal, () => {});
    assert.equal(getEventListeners(signal, "abort").length, 1);
  });
});

describe("eitherOf", () => {
  it("fires with the first of both, with its reason, and leaves nothing at the other", () => {
    const [one, other] = [new AbortController(), new AbortController()];
    {
      using either = eitherOf(one.signal, other.signal);
      assert.equal(either.signal.aborted, false);
      one.abort(left);
      assert.equal(either.signal.reason, left);
      other.abort(tooLate);
      assert.equal(either.signal.reason, left);
    }
    const third = new AbortController();
    {
      using either = eitherOf(one.signal, third.signal);
      assert.equal(either.signal.reason, left);
    }
    assert.equal(listeners(third.signal), 0);
  });
});

describe("withLimit", () => {
  let clock: FakeClock;
  let caller: AbortController;
  beforeEach(() => {
    clock = new FakeClock();
    caller = new AbortController();
  });
  /** Work that ends by its signal alone. */
  const untilAborted = (signal: Signal) =>
    new Promise<never>((_, reject) => {
      onAbort(signal, () => reject(signal.reason));
    });
  const limited = <T>(work: (signal: Signal) => Promise<T>, late = () => tooLate) =>
    withLimit(caller.signal, 100, clock, late, ({ signal }) => work(signal));
  const assertNothingLeft = () => {
    assert.equal(clock.pending, 0);
    assert.equal(listeners(caller.signal), 0);
  };

  it("gives what the work gives, and leaves neither timer nor listener", async () => {
    assert.equal(await limited(async () => 42), 42);
    assertNothingLeft();
  });

  it("fails as the work fails, and leaves neither timer nor listener", async () => {
    const failure = new Error("the work failed");
    await assert.rejects(
      limited(() => Promise.reject(failure)),
      failure,
    );
    assertNothingLeft();
  });

  it("does not fire a moment before the limit", async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    let signal: Signal | undefined;
    const answer = limited((given) => {
      signal = given;
      return promise;
    });
    clock.advance(99);
    assert.equal(signal?.aborted, false);
    resolve("in time");
    assert.equal(await answer, "in time");
  });

  it("fires at the limit, with a reason made then", async () => {
    const [late, made] = recorder(() => tooLate);
    const answer = limited(untilAborted, late);
    assert.equal(made.length, 0);
    clock.advance(100);
    await assert.rejects(answer, tooLate);
    assert.equal(made.length, 1);
    assertNothingLeft();
  });

  it("fires when the caller leaves, with the caller's reason", async () => {
    const answer = limited(untilAborted);
    caller.abort(left);
    await assert.rejects(answer, left);
    assertNothingLeft();
  });

  it("keeps the first reason: the caller leaves, then the limit passes", async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const answer = limited(async (signal) => {
      await promise;
      return signal.reason;
    });
    caller.abort(left);
    clock.advance(100);
    resolve(undefined);
    assert.equal(await answer, left);
  });

  it("keeps the first reason: the limit passes, then the caller leaves", async () => {
    const { promise, resolve } = Promise.withResolvers<unknown>();
    const answer = limited(async (signal) => {
      await promise;
      return signal.reason;
    });
    clock.advance(100);
    caller.abort(left);
    resolve(undefined);
    assert.equal(await answer, tooLate);
  });

  it("does not start work for a caller that has left", async () => {
    caller.abort(left);
    const [work, calls] = recorder(async (_signal: Signal) => 1);
    await assert.rejects(limited(work), left);
    assert.equal(calls.length, 0);
    assertNothingLeft();
  });
});

describe("orAbort", () => {
  let caller: AbortController;
  beforeEach(() => {
    caller = new AbortController();
  });

  it("gives what the promise gives, and leaves no listener", async () => {
    const [onAbort, given] = recorder(() => {});
    assert.equal(await orAbort(Promise.resolve(42), caller.signal, onAbort), 42);
    await turn();
    assert.equal(listeners(caller.signal), 0);
    assert.equal(given.length, 0);
  });

  it("fails as the promise fails, and leaves no listener", async () => {
    const failure = new Error("failed");
    const [onAbort, given] = recorder(() => {});
    await assert.rejects(orAbort(Promise.reject(failure), caller.signal, onAbort), failure);
    await turn();
    assert.equal(listeners(caller.signal), 0);
    assert.equal(given.length, 0);
  });

  it("gives the reason when the signal fires first, and gives back what was held", async () => {
    const { promise, resolve } = Promise.withResolvers<number>();
    const [onAbort, given] = recorder(() => {});
    const answer = orAbort(promise, caller.signal, onAbort);
    caller.abort(left);
    assert.equal(given.length, 1);
    await assert.rejects(answer, left);
    assert.equal(listeners(caller.signal), 0);
    resolve(42);
    await turn();
    assert.equal(given.length, 1);
  });

  it("stays answered when the signal fires after the promise", async () => {
    const [onAbort, given] = recorder(() => {});
    const answer = orAbort(Promise.resolve(42), caller.signal, onAbort);
    await turn();
    caller.abort(left);
    assert.equal(await answer, 42);
    assert.equal(given.length, 0);
  });

  it("lets a promise fail unheard after the caller has left", async () => {
    const { promise, reject } = Promise.withResolvers<number>();
    const answer = orAbort(promise, caller.signal, () => {});
    caller.abort(left);
    await assert.rejects(answer, left);
    // An unhandled rejection would fail this run of the tests.
    reject(new Error("nobody listens"));
    await turn();
  });

  it("gives the reason at once when the signal has fired before", async () => {
    caller.abort(left);
    const [onAbort, given] = recorder(() => {});
    await assert.rejects(orAbort(new Promise(() => {}), caller.signal, onAbort), left);
    assert.equal(given.length, 1);
    assert.equal(listeners(caller.signal), 0);
  });
});
