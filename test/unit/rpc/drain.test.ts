import assert from "node:assert/strict";
import { createDrain } from "../../../server/rpc/drain.js";
import { collectGarbage } from "../../support/collect-garbage.js";
import { turn } from "../../support/recorder.js";

const DRAINING = { reason: "DRAINING", hints: { retryAfterMs: 1000 } };

/** Gives so many items, and waits for more for ever. */
async function* waiting(items: number) {
  for (let item = 0; item < items; item++) yield item;
  await new Promise(() => {});
}

const iteratorOf = <Item>(items: AsyncIterable<Item>) => items[Symbol.asyncIterator]();

describe("a drain's requests", () => {
  it("are those of the stream, to its end", async () => {
    const all = createDrain().until(
      (async function* () {
        yield* [1, 2, 3];
      })(),
    );
    const got: number[] = [];
    for await (const item of all) got.push(item);
    assert.deepEqual(got, [1, 2, 3]);
  });

  it("end with DRAINING as soon as it begins, whatever the client does", async () => {
    const drain = createDrain();
    const items = iteratorOf(drain.until(waiting(1)));
    assert.deepEqual(await items.next(), { done: false, value: 0 });
    const next = assert.rejects(items.next(), DRAINING);
    await turn();
    drain.announce();
    await turn();
    drain.begin();
    await next;
  });

  it("are not asked for once it has begun", async () => {
    const drain = createDrain();
    const items = iteratorOf(drain.until(waiting(2)));
    await items.next();
    drain.begin();
    await assert.rejects(items.next(), DRAINING);
    await assert.rejects(iteratorOf(drain.until(waiting(1))).next(), DRAINING);
  });

  it("throw what the stream throws", async () => {
    const failure = new Error("the client has left");
    const items = iteratorOf(
      createDrain().until({
        [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(failure) }),
      }),
    );
    await assert.rejects(items.next(), failure);
  });

  const ends: Readonly<
    Record<string, (next: () => Promise<unknown>, leave: () => unknown) => unknown>
  > = {
    "has ended": async (next) => {
      await next();
      await next();
    },
    "has failed": (next) =>
      next()
        .then(next)
        .then(next)
        .catch(() => {}),
    "is left": async (next, leave) => {
      await next();
      await leave();
    },
  };
  for (const [what, end] of Object.entries(ends))
    it(`are held no longer by it once their stream ${what}`, async () => {
      const drain = createDrain();
      const begin = async (): Promise<WeakRef<object>> => {
        let asked = 0;
        const source = {
          [Symbol.asyncIterator]: () => source,
          next: async () => {
            asked++;
            if (what === "has failed" && asked === 3) throw new Error("broken");
            return { done: what === "has ended" && asked === 2, value: asked };
          },
        };
        const items = iteratorOf(drain.until(source));
        await end(
          () => items.next(),
          () => items.return?.(),
        );
        return new WeakRef(source);
      };
      const source = await begin();
      await turn();
      collectGarbage();
      assert.equal(source.deref(), undefined);
      drain.begin();
    });
});
