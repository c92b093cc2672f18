import assert from "node:assert/strict";
import { outOfOrder } from "../../../server/rpc/out-of-order.js";
import { recorder, turn } from "../../support/recorder.js";

/** Items that the test sends one by one, and notes of what has been done with them. */
function source() {
  const items: (number | undefined)[] = [];
  let wake = () => {};
  let failure: unknown;
  const seen = { read: 0, closed: false };
  const more = (item: number | undefined) => {
    items.push(item);
    wake();
  };
  const next = async () => {
    while (items.length === 0) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
    return items.shift();
  };
  async function* read(): AsyncGenerator<number, void, undefined> {
    try {
      for (let item = await next(); item !== undefined; item = await next()) {
        seen.read++;
        yield item;
      }
      if (failure !== undefined) throw failure;
    } finally {
      seen.closed = true;
    }
  }
  return {
    seen,
    items: read(),
    send: (...numbers: readonly number[]) => numbers.forEach(more),
    end: () => more(undefined),
    fail: (error: unknown) => {
      failure = error;
      more(undefined);
    },
  };
}

/** Work on numbered items that the test ends in the order it likes. */
function heldWork() {
  const open = new Map<number, (result: string) => void>();
  const [work, started] = recorder((item: number) => {
    const { promise, resolve } = Promise.withResolvers<string>();
    open.set(item, resolve);
    return promise;
  });
  const finish = (...items: readonly number[]) => {
    for (const item of items) open.get(item)?.(`result ${item}`);
  };
  return { work, started: () => started.map(([item]) => item), finish };
}

/** Takes all results as they come; `taken` fills meanwhile. */
function reader(results: AsyncIterable<string>) {
  const taken: string[] = [];
  const done = (async () => {
    for await (const result of results) taken.push(result);
    return taken;
  })();
  // Looked at by those tests that expect it to fail.
  done.catch(() => {});
  return { taken, done };
}

describe("outOfOrder", () => {
  it("gives nothing for nothing", async () => {
    const { items, end } = source();
    end();
    assert.deepEqual(await reader(outOfOrder(items, 3, heldWork().work)).done, []);
  });

  it("gives results as they are ready, not in the order of the items", async () => {
    const { items, send, end } = source();
    const { work, finish } = heldWork();
    const { taken, done } = reader(outOfOrder(items, 5, work));
    send(1, 2, 3);
    end();
    await turn();
    finish(3);
    await turn();
    assert.deepEqual(taken, ["result 3"]);
    finish(1);
    await turn();
    finish(2);
    assert.deepEqual(await done, ["result 3", "result 1", "result 2"]);
  });

  it("gives a result while the next item has not come yet", async () => {
    const { items, send, end } = source();
    const { work, finish } = heldWork();
    const { taken, done } = reader(outOfOrder(items, 5, work));
    for (const item of [1, 2, 3]) {
      send(item);
      await turn();
      finish(item);
      await turn();
      assert.equal(taken.length, item);
    }
    end();
    assert.deepEqual(await done, ["result 1", "result 2", "result 3"]);
  });

  it("has no more items under way than the limit", async () => {
    const { items, send, end, seen } = source();
    const { work, started, finish } = heldWork();
    const { done } = reader(outOfOrder(items, 2, work));
    send(1, 2, 3, 4);
    end();
    await turn();
    assert.deepEqual(started(), [1, 2]);
    assert.equal(seen.read, 2);
    finish(2);
    await turn();
    assert.deepEqual(started(), [1, 2, 3]);
    finish(1, 3);
    await turn();
    finish(4);
    assert.deepEqual(await done, ["result 2", "result 1", "result 3", "result 4"]);
  });

  it("starts nothing more while one item takes all places, until its result is taken", async () => {
    const { items, send, end } = source();
    const { work, started, finish } = heldWork();
    const results = outOfOrder(items, 4, work, (item) => (item === 2 ? 100 : 1));
    send(1, 2, 3, 4);
    end();
    const first = results.next();
    await turn();
    assert.deepEqual(started(), [1, 2]);
    finish(1);
    assert.deepEqual((await first).value, "result 1");
    finish(2);
    for (let turns = 0; turns < 10; turns++) await turn();
    assert.deepEqual(started(), [1, 2], "its result is not taken yet");
    assert.deepEqual((await results.next()).value, "result 2");
    await turn();
    assert.deepEqual(started(), [1, 2, 3, 4]);
    finish(3, 4);
    assert.deepEqual(await reader(results).done, ["result 3", "result 4"]);
  });

  it("works on one item after the other with a limit of 1", async () => {
    const { items, send, end } = source();
    send(1, 2, 3);
    end();
    let open = 0;
    const work = async (item: number) => {
      assert.equal(++open, 1);
      await turn();
      open--;
      return String(item);
    };
    assert.deepEqual(await reader(outOfOrder(items, 1, work)).done, ["1", "2", "3"]);
  });

  it("reads no further while the reader takes nothing, though all work is done", async () => {
    const { items, send, end, seen } = source();
    const results = outOfOrder(items, 3, async (item) => `result ${item}`);
    send(...Array.from({ length: 100 }, (_, item) => item));
    end();
    const first = await results.next();
    assert.deepEqual(first, { done: false, value: "result 0" });
    for (let turns = 0; turns < 10; turns++) await turn();
    // One that was taken, and three that wait.
    assert.equal(seen.read, 4);
    await results.next();
    for (let turns = 0; turns < 10; turns++) await turn();
    assert.equal(seen.read, 5);
    const rest = await reader(results).done;
    assert.equal(rest.length, 98);
    assert.equal(rest.at(-1), "result 99");
  });

  it("does not read an item before the first result is asked for", async () => {
    const { items, send, seen } = source();
    const { work } = heldWork();
    const results = outOfOrder(items, 3, work);
    send(1);
    await turn();
    assert.equal(seen.read, 0);
    await results.return();
  });

  for (const [what, error] of [
    ["an error", new Error("the stream broke")],
    ["undefined", undefined],
  ] as const) {
    it(`throws ${what} that the source throws, after the results before it`, async () => {
      async function* failing() {
        yield 1;
        yield 2;
        throw error;
      }
      const { work, finish } = heldWork();
      const { taken, done } = reader(outOfOrder(failing(), 5, work));
      await turn();
      assert.deepEqual(taken, []);
      finish(2);
      await turn();
      finish(1);
      const thrown = await done.then(
        () => assert.fail("nothing was thrown"),
        (reason: unknown) => reason,
      );
      assert.equal(thrown, error);
      assert.deepEqual(taken, ["result 2", "result 1"]);
    });
  }

  it("throws what a source throws that has no items", async () => {
    const broken = new Error("the stream broke");
    const { items, fail } = source();
    fail(broken);
    await assert.rejects(reader(outOfOrder(items, 5, heldWork().work)).done, broken);
  });

  it("reads no further and closes the source when the reader leaves at the limit", async () => {
    const { items, send, seen } = source();
    send(1, 2, 3, 4, 5);
    const { work, started, finish } = heldWork();
    const results = outOfOrder(items, 2, work);
    const first = results.next();
    await turn();
    finish(1);
    await first;
    await turn();
    assert.deepEqual(started(), [1, 2, 3]);
    await results.return();
    await turn();
    assert.deepEqual(started(), [1, 2, 3]);
    assert.deepEqual(seen, { read: 3, closed: true });
    // Work that ends later is nobody's any more.
    finish(2, 3);
    await turn();
    assert.deepEqual(await results.next(), { done: true, value: undefined });
  });

  it("leaves when the loop around it does", async () => {
    const { items, send, seen } = source();
    send(1, 2, 3, 4, 5);
    for await (const result of outOfOrder(items, 2, async (item) => item)) {
      if (result === 2) break;
    }
    await turn();
    assert.equal(seen.closed, true);
    assert.ok(seen.read <= 4);
  });
});
