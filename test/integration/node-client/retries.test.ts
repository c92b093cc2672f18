import assert from "node:assert/strict";
import { AsyncLocalStorage } from "node:async_hooks";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { type Context, context, propagation, ROOT_CONTEXT, trace } from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { type CallContext, type Metadata, ServerError, Status } from "nice-grpc-common";
import { connect, SentimentError } from "../../../clients/node/index.js";
import type {
  AnalyzeStreamRequest,
  AnalyzeStreamResponse,
  SentimentServiceImplementation,
} from "../../../server/gen/sentiment/v1/sentiment.js";
import { gathered } from "../../support/gathered.js";
import {
  answered,
  refusalOf,
  refuse,
  scriptedService,
  verdictOn,
} from "../../support/scripted-service.js";
import { sentences } from "../../support/sentences.js";

/** Ends after so many requests. */
async function* streamOf(
  requests: AsyncIterable<AnalyzeStreamRequest>,
  answerTo: (text: string) => Omit<AnalyzeStreamResponse, "id"> | undefined,
  most: number,
  end: () => never,
): AsyncGenerator<AnalyzeStreamResponse> {
  let count = 0;
  for await (const { id, text } of requests) {
    const answer = answerTo(text);
    if (answer) yield { id, ...answer };
    if (++count === most) end();
  }
}

describe("the Node client against a scripted server", function () {
  this.timeout(30_000);
  let opened: AsyncDisposableStack;
  beforeEach(() => {
    opened = new AsyncDisposableStack();
  });
  afterEach(() => opened.disposeAsync());

  async function clientOf(script: Partial<SentimentServiceImplementation>) {
    const service = opened.use(await scriptedService(script));
    return opened.use(connect(service.address));
  }

  it("tries UNAVAILABLE again when the server wants it, five times in all, and nothing else", async () => {
    const atMs: number[] = [];
    let refusals = 3;
    const client = await clientOf({
      async analyze({ text }, call) {
        atMs.push(performance.now());
        if (refusals-- > 0) refuse(call, "BACKEND_DOWN", 50);
        return { sentiment: verdictOn(text), timing: undefined };
      },
      async analyzeBatch(_, call) {
        atMs.push(performance.now());
        return refuse(call, "OVERLOADED", 1500);
      },
    });
    assert.equal((await client.analyze("fine")).sentiment.model, "fine");
    assert.equal(atMs.length, 4);
    assert.ok(atMs.every((ms, place) => place === 0 || ms - (atMs[place - 1] ?? 0) >= 49));
    atMs.length = 0;
    refusals = 9;
    await assert.rejects(client.analyze("fine"), { code: "UNAVAILABLE", reason: "BACKEND_DOWN" });
    assert.equal(atMs.length, 5);
    atMs.length = 0;
    const overloaded = { code: "RESOURCE_EXHAUSTED", reason: "OVERLOADED", retryAfterMs: 1500 };
    await assert.rejects(client.analyzeBatch(["fine"]), overloaded);
    assert.equal(atMs.length, 1);
  });

  it("gives up a text whose message is too large, and no other, by batches and by a stream", async () => {
    const client = await clientOf({
      analyzeBatch: async ({ texts }) => answered(texts),
      analyzeStream: (requests) =>
        streamOf(requests, (text) => ({ sentiment: verdictOn(text) }), Infinity, assert.fail),
    });
    const texts = [...sentences(40)];
    texts[7] = "x".repeat(5_000_000);
    // Each of these fits, but not all of a batch together.
    for (let place = 20; place < 40; place++) texts[place] = "x".repeat(300_000);
    for (const asked of [client.analyzeAll(texts), client.analyzeStream(texts)]) {
      const outcomes = await gathered(asked);
      assert.deepEqual(
        outcomes.flatMap(({ index, error }) => (error ? [[index, error.code]] : [])),
        [[7, "RESOURCE_EXHAUSTED"]],
      );
      assert.equal(outcomes.length, texts.length);
    }
  });

  it("asks a refused batch again, and of a batch only the texts that were refused", async () => {
    const asked: (readonly string[])[] = [];
    const delays: number[] = [];
    const client = await clientOf({
      async analyzeBatch({ texts }, call) {
        asked.push(texts);
        if (asked.length === 1) refuse(call, "OVERLOADED", 40);
        const { results } = answered(texts);
        if (asked.length === 2)
          results[1] = { index: 1, sentiment: undefined, error: refusalOf("BACKEND_DOWN", 30) };
        return { results };
      },
    });
    const onRetry = (_: SentimentError, delayMs: number) => delays.push(delayMs);
    const outcomes = await gathered(client.analyzeAll(["a", "b", "c"], { onRetry }));
    assert.deepEqual(
      outcomes.map(({ sentiment }) => sentiment?.model),
      ["a", "b", "c"],
    );
    assert.deepEqual(asked, [["a", "b", "c"], ["a", "b", "c"], ["b"]]);
    const [first = 0, second = 0] = delays;
    assert.ok(first >= 40 && first <= 48 && second >= 30 && second <= 36, String(delays));
  });

  it("cuts texts into full calls, and has no more of them under way than it may", async () => {
    const sizes: number[] = [];
    let underWay = 0;
    let most = 0;
    const client = await clientOf({
      async analyzeBatch({ texts }) {
        most = Math.max(most, ++underWay);
        sizes.push(texts.length);
        await new Promise((resolve) => setTimeout(resolve, 20));
        underWay--;
        return answered(texts);
      },
    });
    const options = { batchSize: 10, concurrency: 3 };
    const outcomes = await gathered(client.analyzeAll(sentences(105), options));
    assert.equal(outcomes.length, 105);
    assert.equal(most, 3);
    assert.deepEqual(sizes, [...Array(10).fill(10), 5]);
  });

  it("asks a refused text of a stream again, and what a broken stream has not answered", async () => {
    const asked: string[] = [];
    let streams = 0;
    /** The first time that it is asked: undefined is no answer at all. */
    const firstAnswers: Readonly<Record<string, Omit<AnalyzeStreamResponse, "id"> | undefined>> = {
      refused: { sentiment: undefined, error: refusalOf("RATE_LIMITED", 30) },
      unanswered: undefined,
    };
    const answerTo = (text: string) => {
      const isFirst = !asked.includes(text);
      asked.push(text);
      if (isFirst && text in firstAnswers) return firstAnswers[text];
      return { sentiment: verdictOn(text), error: undefined };
    };
    const client = await clientOf({
      analyzeStream: (requests, call) =>
        streamOf(requests, answerTo, ++streams === 1 ? 4 : 9, () => refuse(call, "DRAINING")),
    });
    const texts = ["a", "refused", "unanswered", "b", "c"];
    const outcomes = await gathered(client.analyzeStream(texts));
    assert.deepEqual(
      outcomes.map(({ text, sentiment }) => [text, sentiment?.model]),
      texts.map((text) => [text, text]),
    );
    assert.equal(streams, 2);
    assert.equal(asked.filter((text) => text === "a" || text === "b").length, 2);
  });

  it("gives up when nothing is answered for so long, and at once for what no other try mends", async () => {
    const client = await clientOf({
      async analyzeBatch(_, call) {
        return refuse(call, "OVERLOADED");
      },
      // biome-ignore lint/correctness/useYield: it only refuses.
      async *analyzeStream(_, call) {
        refuse(call, call.metadata.has("authorization") ? "KEY_UNKNOWN" : "DRAINING");
      },
    });
    const giveUpMs = 400;
    for (const [outcomes, code, reason] of [
      [client.analyzeAll(["fine"], { giveUpMs }), "RESOURCE_EXHAUSTED", "OVERLOADED"],
      [client.analyzeStream(["fine"], { giveUpMs }), "UNAVAILABLE", "DRAINING"],
    ] as const)
      await assert.rejects(
        outcomes.next(),
        (error: SentimentError) =>
          error instanceof SentimentError &&
          error.code === code &&
          error.reason === reason &&
          /^no answer within 0\.4 s; the last failure: refused/.test(error.message),
      );
    const begunMs = performance.now();
    const longest = client.analyzeAll(["fine"], { giveUpMs: 0 });
    await assert.rejects(longest.next(), { reason: "OVERLOADED" });
    assert.ok(performance.now() - begunMs < 5000);
  });

  it("asks a batch again that breaks on its way or meets its deadline, until it gives up", async () => {
    let breaks: ((call: CallContext) => unknown)[] = [];
    const client = await clientOf({
      async analyzeBatch({ texts }, call) {
        await breaks.shift()?.(call);
        return answered(texts);
      },
    });
    const codes = [Status.CANCELLED, Status.INTERNAL, Status.UNKNOWN];
    const lost = codes.map((code) => () => {
      throw new ServerError(code, "the stream was reset");
    });
    const hangs = ({ signal }: CallContext) => once(signal, "abort");
    const failures: string[] = [];
    const onRetry = ({ code }: SentimentError) => failures.push(code);
    breaks = [...lost, hangs];
    const options = { deadlineMs: 1000, onRetry };
    const outcomes = await gathered(client.analyzeAll(["a", "b"], options));
    assert.deepEqual(
      outcomes.map(({ sentiment }) => sentiment?.model),
      ["a", "b"],
    );
    assert.deepEqual(failures, ["CANCELLED", "INTERNAL", "UNKNOWN", "DEADLINE_EXCEEDED"]);
    for (const [how, code] of [
      [lost[1], "INTERNAL"],
      [hangs, "DEADLINE_EXCEEDED"],
    ] as const) {
      breaks = Array(50).fill(how);
      const asked = client.analyzeAll(["a"], { deadlineMs: 400, giveUpMs: 500 });
      await assert.rejects(asked.next(), { code, message: /^no answer within 0\.5 s; the last/ });
    }
  });

  it("gives up a server that says nothing, and ends what is under way there", async () => {
    const left: unknown[] = [];
    /** Answers what is no "stuck"; resolves where the call is ended. */
    const stuckAt = (texts: readonly string[], { signal }: CallContext) =>
      texts.includes("stuck") ? once(signal, "abort").then(() => left.push(texts)) : undefined;
    const client = await clientOf({
      async analyzeBatch({ texts }, call) {
        await stuckAt(texts, call);
        return answered(texts);
      },
      async *analyzeStream(requests, call) {
        for await (const { id, text } of requests) {
          await stuckAt([text], call);
          yield { id, sentiment: verdictOn(text), error: undefined };
        }
      },
    });
    const giveUpMs = 500;
    /** Neither the time without texts nor that of the loop is the server's. */
    async function* slowly(last: string) {
      yield "one";
      await sleep(2 * giveUpMs);
      yield last;
    }
    const gaveUp = { code: "UNAVAILABLE", message: "no answer within 0.5 s" };
    for (const ask of [client.analyzeAll, client.analyzeStream]) {
      const [one, two] = await gathered(ask(slowly("two"), { giveUpMs }));
      assert.deepEqual([one?.sentiment?.model, two?.sentiment?.model], ["one", "two"]);
      const asked = ask(slowly("stuck"), { giveUpMs });
      assert.equal((await asked.next()).value?.text, "one");
      await assert.rejects(asked.next(), gaveUp);
    }
    while (left.length < 2) await sleep(5);
  });

  it("does not ask again what is refused for its metadata", async () => {
    let calls = 0;
    const client = await clientOf({
      async analyzeBatch(_, call) {
        calls++;
        return refuse(call, "METADATA_TOO_LARGE");
      },
      // biome-ignore lint/correctness/useYield: it only refuses.
      async *analyzeStream(_, call) {
        calls++;
        refuse(call, "METADATA_TOO_LARGE");
      },
    });
    for (const asked of [client.analyzeAll(["fine"]), client.analyzeStream(["fine"])])
      await assert.rejects(asked.next(), { reason: "METADATA_TOO_LARGE", message: /^refused/ });
    assert.equal(calls, 2);
  });

  it("tells the server when each call has to be over, and of no deadline of a stream", async () => {
    const service = opened.use(
      await scriptedService({
        analyze: async ({ text }) => ({ sentiment: verdictOn(text), timing: undefined }),
        analyzeStream: (requests) =>
          streamOf(
            requests,
            (text) => ({ sentiment: verdictOn(text), error: undefined }),
            9,
            () => assert.fail(),
          ),
      }),
    );
    const client = opened.use(connect(service.address, { deadlineMs: 7000 }));
    const begunMs = Date.now();
    await client.analyze("fine");
    await client.analyze("fine", { deadlineMs: 50_000 });
    await client.analyze("fine", { deadlineMs: Number.POSITIVE_INFINITY });
    await gathered(client.analyzeStream(["fine"]));
    const passedMs = Date.now() - begunMs;
    const [own = 0, longer = 0, ...none] = service.deadlines.map((ms) => ms - begunMs);
    assert.ok(own >= 6990 && own <= 7010 + passedMs, String(own));
    assert.ok(longer >= 49_990 && longer <= 50_010 + passedMs, String(longer));
    assert.deepEqual(none, [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
  });

  it("tells of answers that the server owes as errors of their texts", async () => {
    const client = await clientOf({
      analyzeBatch: async () => ({ results: [] }),
      analyze: async () => ({ sentiment: undefined, timing: undefined }),
    });
    const [outcome] = await client.analyzeBatch(["fine"]);
    assert.equal(outcome?.error?.code, "INTERNAL");
    const [same] = await gathered(client.analyzeAll(["fine"], { onRetry: assert.fail }));
    assert.equal(same?.error?.code, "INTERNAL");
    await assert.rejects(client.analyze("fine"), { code: "INTERNAL" });
  });

  it("sends the key and the active trace along with every call", async () => {
    const active = new AsyncLocalStorage<Context>();
    context.setGlobalContextManager({
      active: () => active.getStore() ?? ROOT_CONTEXT,
      with: (one, run, self, ...args) => active.run(one, () => run.apply(self, args)),
      bind: (_, target) => target,
      enable: () => context as never,
      disable: () => context as never,
    });
    propagation.setGlobalPropagator(new W3CTraceContextPropagator());
    opened.defer(() => {
      context.disable();
      propagation.disable();
    });
    const seen: Metadata[] = [];
    const see = ({ metadata }: CallContext) => seen.push(metadata);
    const service = opened.use(
      await scriptedService({
        async analyze({ text }, call) {
          see(call);
          return { sentiment: verdictOn(text), timing: undefined };
        },
        async analyzeBatch({ texts }, call) {
          see(call);
          return answered(texts);
        },
        async *analyzeStream(requests, call) {
          see(call);
          for await (const { id, text } of requests)
            yield { id, sentiment: verdictOn(text), error: undefined };
        },
      }),
    );
    const client = opened.use(connect(service.address, { apiKey: "sap_key" }));
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    const span = { traceId, spanId: "b7ad6b7169203331", traceFlags: 1 };
    await context.with(trace.setSpanContext(ROOT_CONTEXT, span), async () => {
      await client.analyze("fine");
      await gathered(client.analyzeAll(["fine"]));
      await gathered(client.analyzeStream(["fine"]));
    });
    await client.analyze("fine");
    assert.deepEqual(
      seen.map((metadata) => metadata.get("traceparent")),
      [...Array(3).fill(`00-${traceId}-b7ad6b7169203331-01`), undefined],
    );
    assert.ok(seen.every((metadata) => metadata.get("authorization") === "Bearer sap_key"));
  });
});
