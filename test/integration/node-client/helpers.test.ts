import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import {
  connect,
  type Outcome,
  type SentimentClient,
  type StreamOptions,
  type Texts,
} from "../../../clients/node/index.js";
import { gathered } from "../../support/gathered.js";
import { type RunningApp, runApp } from "../../support/running-app.js";
import { sentences } from "../../support/sentences.js";

const ENV = { PREFETCH_MODELS: "false", DEFAULT_TIER: "fast" };

type Helper = (texts: Texts, options?: StreamOptions) => AsyncGenerator<Outcome>;

/** Texts without end, and how far they were read. */
function endless() {
  const source = {
    read: 0,
    isEnded: false,
    async *texts() {
      try {
        for (;;) yield `number ${source.read++}`;
      } finally {
        source.isEnded = true;
      }
    },
  };
  return source;
}

/** 300 of them, the last slower than the server, so that what is read waits. */
async function takeSome(
  outcomes: AsyncIterable<Outcome>,
  source: { readonly read: number },
  ahead: number,
): Promise<void> {
  let taken = 0;
  for await (const { index } of outcomes) {
    assert.equal(index, taken++);
    assert.ok(source.read - taken <= ahead + 1, `${source.read} read, ${taken} taken`);
    if (taken > 100) await sleep(1);
    if (taken === 300) break;
  }
}

describe("the Node client's helpers", function () {
  this.timeout(30_000);
  let running: RunningApp;
  let client: SentimentClient;
  before(async () => {
    running = await runApp(ENV);
    client = connect(running.app.address);
  });
  after(async () => {
    client.close();
    await running[Symbol.asyncDispose]();
  });

  const helpers: readonly (readonly [name: string, ahead: number, helper: Helper])[] = [
    ["analyzeAll", 2 * 32 * 4, (texts, options) => client.analyzeAll(texts, options)],
    ["analyzeStream", 256, (texts, options) => client.analyzeStream(texts, options)],
  ];
  for (const [name, ahead, helper] of helpers)
    describe(name, () => {
      it("answers 1,000 texts once each, in their order, one that is bad among them", async () => {
        const texts = sentences(1000).with(500, " ");
        const outcomes = await gathered(helper(texts));
        assert.deepEqual(
          outcomes.map(({ index, text }) => [index, text]),
          texts.map((text, index) => [index, text]),
        );
        assert.deepEqual(
          outcomes.filter(({ error }) => error).map(({ index, error }) => [index, error?.reason]),
          [[500, "TEXT_EMPTY"]],
        );
      });

      it("says the same of a text as a call does", async () => {
        const texts = sentences(20);
        for await (const { text, sentiment } of helper(texts, { tier: "balanced" })) {
          const alone = await client.analyze(text, { tier: "balanced" });
          assert.equal(sentiment?.label, alone.sentiment.label);
          assert.ok(Math.abs((sentiment?.score ?? 9) - alone.sentiment.score) < 1e-3);
        }
      });

      it("reads an endless iterable only as far ahead as it may, and ends it with the loop", async () => {
        const source = endless();
        await takeSome(helper(source.texts()), source, ahead);
        await sleep(0);
        assert.ok(source.isEnded);
        const readThen = source.read;
        await sleep(50);
        assert.equal(source.read, readThen);
      });

      it("answers a text though the next does not come", async () => {
        const stuck = new AbortController();
        async function* slow() {
          yield "one";
          yield "two";
          await sleep(60_000, undefined, { signal: stuck.signal }).catch(() => {});
        }
        const outcomes = helper(slow());
        assert.equal((await outcomes.next()).value?.text, "one");
        assert.equal((await outcomes.next()).value?.text, "two");
        await outcomes.return(undefined);
        stuck.abort();
      });

      it("throws what the iterable throws, once all before it is answered", async () => {
        async function* broken() {
          yield* sentences(50);
          throw new Error("the file is gone");
        }
        let count = 0;
        await assert.rejects(
          async () => {
            for await (const _ of helper(broken())) count++;
          },
          { message: "the file is gone" },
        );
        assert.equal(count, 50);
        // biome-ignore lint/suspicious/noExplicitAny: as a program in JavaScript might.
        const wrong = helper(["fine", 7 as any]);
        await wrong.next();
        await assert.rejects(wrong.next(), { name: "TypeError", message: "text 1 is no string" });
      });

      it("ends with its signal, and answers nothing where there is nothing", async () => {
        const leaving = new AbortController();
        const outcomes = helper(sentences(1000), { signal: leaving.signal });
        await outcomes.next();
        leaving.abort(new Error("enough"));
        await assert.rejects(
          async () => {
            for await (const _ of outcomes);
          },
          { message: "enough" },
        );
        assert.deepEqual(await gathered(helper([])), []);
      });
    });

  it("refuse limits that are no counts", () => {
    assert.throws(() => client.analyzeAll([], { batchSize: 0 }), /batchSize must be a whole/);
    assert.throws(() => client.analyzeAll([], { concurrency: 1.5 }), /concurrency must be a whole/);
    assert.throws(() => client.analyzeStream([], { maxUnderWay: -1 }), /maxUnderWay must be/);
    // biome-ignore lint/suspicious/noExplicitAny: as a program in JavaScript might.
    assert.throws(() => client.analyzeStream([], { tier: "best" as any }), /tier best is unknown/);
  });

  it("analyzeStream gives outcomes as they come where it is told to", async () => {
    const long = "The plot is wonderful, and the actors are not. ".repeat(100);
    const texts = [long, ...sentences(20)];
    // The slowest tier, so that the long text is still under way when the others are there, however busy the machine is; each thread loads it when it first has to.
    const options = { inOrder: false, tier: "accurate" } as const;
    await client.analyzeBatch(sentences(100), options);
    const outcomes = await gathered(client.analyzeStream(texts, options));
    assert.notEqual(outcomes[0]?.index, 0);
    assert.deepEqual(
      outcomes.map(({ index }) => index).toSorted((one, other) => one - other),
      [...texts.keys()],
    );
  });

  it("analyzeStream goes on where the server has ended a stream that was silent", async () => {
    await using short = await runApp({ ...ENV, STREAM_IDLE_TIMEOUT: "1" });
    const asking = connect(short.app.address);
    const failures: unknown[] = [];
    async function* slow() {
      for (const text of ["one", "two", "three"]) {
        yield text;
        await sleep(2500);
      }
    }
    const onRetry = (error: unknown) => failures.push(error);
    const outcomes = await gathered(asking.analyzeStream(slow(), { onRetry }));
    assert.deepEqual(
      outcomes.map(({ text, sentiment }) => [text, sentiment?.tier]),
      ["one", "two", "three"].map((text) => [text, "fast"]),
    );
    assert.deepEqual(failures, []);
    asking.close();
  });
});
