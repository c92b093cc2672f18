import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connect, type SentimentClient, SentimentError } from "../../../clients/node/index.js";
import { addNewKey } from "../../../server/rpc/keys/new-key.js";
import { type Certificates, certificates } from "../../support/certificates.js";
import { heldBackend } from "../../support/held-backend.js";
import { type KeyFolder, keyFolder } from "../../support/key-folder.js";
import { addLimitedKey } from "../../support/limited-keys.js";
import { type RunningApp, runApp } from "../../support/running-app.js";

const ENV = { PREFETCH_MODELS: "false", DEFAULT_TIER: "fast" };

/** How it fails. */
async function failureOf(call: Promise<unknown>): Promise<SentimentError> {
  try {
    await call;
  } catch (error) {
    assert.ok(error instanceof SentimentError, String(error));
    return error;
  }
  assert.fail("the call was answered");
}

describe("the Node client's calls", function () {
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

  it("tell the verdict on a text in words, and where the time went", async () => {
    const { sentiment, timing } = await client.analyze("I love it");
    const { label, tier, model, cache, probabilities, score } = sentiment;
    assert.deepEqual([label, tier, model, cache], ["positive", "fast", "sentiment_fast", "none"]);
    assert.ok(Math.abs(probabilities.positive - probabilities.negative - score) < 1e-6);
    assert.equal(sentiment.confidence, probabilities.positive);
    assert.ok(timing.totalMs > 0 && timing.inferenceMs <= timing.totalMs);
    assert.ok(timing.batchSize >= 1);
  });

  it("take all options", async () => {
    const text = "The plot is wonderful. The actors are terrible.";
    const { sentiment } = await client.analyze(text, {
      tier: "balanced",
      sentences: true,
      explain: true,
    });
    assert.equal(sentiment.tier, "balanced");
    assert.deepEqual(
      sentiment.sentences.map(({ begin, end, label }) => [text.slice(begin, end), label]),
      [
        ["The plot is wonderful.", "positive"],
        ["The actors are terrible.", "negative"],
      ],
    );
    assert.equal(sentiment.mixed, true);
    assert.ok(
      sentiment.attributions.some(({ token, weight }) => token === "terrible" && weight < 0),
    );
    const long = "word ".repeat(1000);
    const truncated = await client.analyze(long, { longText: "truncate" });
    assert.ok(truncated.sentiment.analyzedTokenCount < truncated.sentiment.tokenCount);
    const rejected = await failureOf(client.analyze(long, { longText: "reject" }));
    assert.equal(rejected.reason, "TEXT_TOO_LONG");
  });

  it("answer a batch with one bad text", async () => {
    const [good, empty, bad, ...rest] = await client.analyzeBatch(["I love it", " ", "I hate it"]);
    assert.deepEqual([good?.sentiment?.label, bad?.sentiment?.label], ["positive", "negative"]);
    assert.deepEqual([empty?.index, empty?.text, empty?.error?.reason], [1, " ", "TEXT_EMPTY"]);
    assert.deepEqual(rest, []);
  });

  it("list the models", async () => {
    const models = await client.models();
    assert.deepEqual(
      models.map(({ tier, defaultTier, labels }) => [tier, defaultTier, labels.length]),
      [
        ["fast", true, 3],
        ["balanced", false, 3],
        ["accurate", false, 3],
      ],
    );
  });

  it("reject with a status, a reason, and the field that is wrong", async () => {
    const empty = await failureOf(client.analyze(""));
    assert.deepEqual([empty.code, empty.reason], ["INVALID_ARGUMENT", "TEXT_EMPTY"]);
    assert.deepEqual(
      empty.fieldViolations.map(({ field }) => field),
      ["text"],
    );
    assert.equal(empty.retryAfterMs, undefined);
    const large = await failureOf(client.analyzeBatch(Array(101).fill("fine")));
    assert.equal(large.reason, "BATCH_TOO_LARGE");
    const none = await failureOf(client.analyzeBatch([]));
    assert.equal(none.reason, "BATCH_EMPTY");
    // biome-ignore lint/suspicious/noExplicitAny: as a program in JavaScript might.
    await assert.rejects(client.analyze("fine", { tier: "best" as any }), {
      name: "RangeError",
      message: "tier best is unknown: use fast, balanced, accurate, auto",
    });
  });

  it("show a key, and tell what is wrong with it without repeating it", async () => {
    await using folder: KeyFolder = await keyFolder();
    const key = await addNewKey(folder.file, "reader", ["analyze"]);
    const admin = await addNewKey(folder.file, "operator", ["admin"]);
    const limited = await addLimitedKey(folder.file, "limited", 60);
    await using keyed = await runApp({ ...ENV, API_KEYS_FILE: folder.file });
    const ask = async (apiKey: string | undefined, text = "fine") => {
      const asking = connect(keyed.app.address, { apiKey });
      try {
        return await asking.analyze(text);
      } finally {
        asking.close();
      }
    };
    assert.ok((await ask(key)).sentiment);
    for (const [apiKey, code, reason] of [
      [undefined, "UNAUTHENTICATED", "KEY_MISSING"],
      ["sap_wrong", "UNAUTHENTICATED", "KEY_UNKNOWN"],
      [admin, "PERMISSION_DENIED", "NOT_ALLOWED"],
    ] as const) {
      const failure = await failureOf(ask(apiKey));
      assert.deepEqual([failure.code, failure.reason], [code, reason]);
    }
    for (const apiKey of ["s3cret\nmore", "", "s3cret more"])
      assert.throws(
        () => connect(keyed.app.address, { apiKey }),
        (error: Error) => error.name === "TypeError" && !error.message.includes("s3cret"),
      );
    const long =
      "All of us liked the long film about bees, and the soup that was so very good for us all.";
    let refused: SentimentError | undefined;
    for (let count = 0; count < 4 && refused === undefined; count++)
      await ask(limited, `${count} ${long}`).catch((error) => {
        refused = error;
      });
    assert.deepEqual([refused?.code, refused?.reason], ["RESOURCE_EXHAUSTED", "RATE_LIMITED"]);
    assert.ok((refused?.retryAfterMs ?? 0) > 1000);
  });

  it("end at their deadline, and with their signal", async () => {
    const backend = heldBackend();
    await using held = await runApp(ENV, { backend: () => backend });
    const asking = connect(held.app.address, { deadlineMs: 200 });
    const late = await failureOf(asking.analyze("fine"));
    assert.equal(late.code, "DEADLINE_EXCEEDED");
    const leaving = new AbortController();
    const left = asking.analyze("fine", { signal: leaving.signal, deadlineMs: 60_000 });
    leaving.abort(new Error("gone"));
    await assert.rejects(left, { message: "gone" });
    await assert.rejects(asking.analyze("fine", { signal: leaving.signal }), { message: "gone" });
    backend.release();
    assert.ok((await asking.analyze("fine", { deadlineMs: 20_000 })).sentiment);
    asking.close();
  });

  it("end when the client is closed, however often", async () => {
    const backend = heldBackend();
    await using held = await runApp(ENV, { backend: () => backend });
    const asking = connect(held.app.address);
    const call = failureOf(asking.analyze("fine"));
    const all = failureOf(asking.analyzeAll(["fine"]).next());
    const stream = failureOf(asking.analyzeStream(["fine"]).next());
    await new Promise((resolve) => setTimeout(resolve, 100));
    asking.close();
    asking.close();
    for (const { code, reason } of [await call, await all, await stream])
      assert.deepEqual([code, reason], ["CANCELLED", "CLIENT_CLOSED"]);
    assert.equal((await failureOf(asking.analyze("fine"))).reason, "CLIENT_CLOSED");
    backend.release();
  });

  it("say that a server cannot be reached, and where", async () => {
    const nobody = connect("127.0.0.1:1", { deadlineMs: 20_000 });
    const failure = await failureOf(nobody.analyze("fine"));
    assert.deepEqual([failure.code, failure.reason], ["UNAVAILABLE", undefined]);
    assert.match(failure.message, /127\.0\.0\.1:1/);
    nobody.close();
  });

  describe("by TLS", () => {
    let made: Certificates;
    before(async () => {
      made = await certificates();
    });
    after(() => made[Symbol.asyncDispose]());

    it("trust the CA that they are given, and show a certificate", async () => {
      const ca = await made.make("ca");
      const served = await made.make("served", { by: ca });
      const own = await made.make("own", { by: ca });
      const env = { ...ENV, TLS_CERT: served.cert, TLS_KEY: served.key, TLS_CLIENT_CA: ca.cert };
      await using secured = await runApp(env);
      const { address } = secured.app;
      const ask = async (...[to, tls]: Parameters<typeof tlsOf>) => {
        const asking = connect(to, tlsOf(to, tls));
        try {
          return await asking.analyze("fine", { deadlineMs: 10_000 });
        } finally {
          asking.close();
        }
      };
      const tlsOf = (_to: string, tls: object | undefined) => ({ tls });
      const mutual = { caFile: ca.cert, certFile: own.cert, keyFile: own.key };
      assert.ok((await ask(address, mutual)).sentiment);
      assert.ok((await ask(`https://${address}`, mutual)).sentiment);
      for (const [to, tls] of [
        [address, { caFile: ca.cert }],
        [`https://${address}`, undefined],
        [address, undefined],
      ] as const)
        assert.equal((await failureOf(ask(to, tls))).code, "UNAVAILABLE");
      const garbage = join(made.folder, "garbage.pem");
      await writeFile(garbage, "no certificate");
      assert.throws(() => connect(address, { tls: { caFile: "no/such.pem" } }), /no\/such\.pem/);
      assert.throws(() => connect(address, { tls: { certFile: own.cert } }), /go together/);
    });
  });
});
