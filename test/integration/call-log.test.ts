import assert from "node:assert/strict";
import { Metadata } from "nice-grpc";
import { ModelError } from "../../server/backend/backend.js";
import { Tier } from "../../server/gen/sentiment/v1/sentiment.js";
import { addNewKey } from "../../server/rpc/keys/new-key.js";
import { heldBackend, until } from "../support/held-backend.js";
import { keyFolder } from "../support/key-folder.js";
import { type RunningApp, runApp } from "../support/running-app.js";

const TRACE = "0af7651916cd43dd8448eb211c80319c";
const TEXT = "a dull and dreary play";
const SERVICE = "/sentiment.v1.SentimentService";
const [tier, options] = [Tier.TIER_FAST, undefined];

const linesOf = ({ log }: RunningApp) => log.filter(({ method }) => method !== undefined);

describe("the log of calls of a running server", function () {
  this.timeout(20_000);

  it("has a line for each call at debug, never its text or its key", async () => {
    await using folder = await keyFolder();
    const key = await addNewKey(folder.file, "reader", ["analyze"]);
    const backend = heldBackend();
    backend.release();
    const env = { API_KEYS_FILE: folder.file, LOG_LEVEL: "debug" };
    await using running = await runApp(env, { backend: () => backend });
    const { client } = running;
    const traceparent = `00-${TRACE}-b7ad6b7169203331-01`;
    const metadata = Metadata({ "x-api-key": key, traceparent });
    await client.analyze({ text: TEXT, tier, options }, { metadata });
    await client.analyzeBatch({ texts: [TEXT, "", TEXT], tier: 0, options }, { metadata });
    async function* requests() {
      for (const id of ["one", "two"]) yield { id: `${id} ${TEXT}`, text: TEXT, tier, options };
    }
    for await (const _ of client.analyzeStream(requests(), { metadata }));
    await assert.rejects(client.analyze({ text: TEXT, tier: 9 as Tier, options }, { metadata }));
    await assert.rejects(client.analyze({ text: TEXT, tier, options }));
    await until(() => linesOf(running).length === 5);
    const told = linesOf(running).map(({ level, method, code, texts, tier, trace }) => [
      level,
      String(method).replace(`${SERVICE}/`, ""),
      code,
      texts,
      tier,
      trace,
    ]);
    assert.deepEqual(told, [
      ["debug", "Analyze", "OK", 1, "fast", TRACE],
      ["debug", "AnalyzeBatch", "OK", 3, "default", TRACE],
      ["debug", "AnalyzeStream", "OK", 2, undefined, TRACE],
      ["debug", "Analyze", "INVALID_ARGUMENT", 1, undefined, TRACE],
      ["debug", "Analyze", "UNAUTHENTICATED", undefined, undefined, undefined],
    ]);
    assert.ok(linesOf(running).every(({ ms }) => typeof ms === "number" && ms >= 0));
    const all = JSON.stringify(running.log);
    for (const secret of ["dull", "dreary", key]) assert.ok(!all.includes(secret), secret);
  });

  it("has the slow ones and the server's failures at info, and no others where none are sampled", async () => {
    const backend = heldBackend();
    let fails = false;
    const failing = {
      ...backend,
      infer: (...batch: Parameters<typeof backend.infer>) =>
        fails ? Promise.reject(new ModelError("broken")) : backend.infer(...batch),
    };
    const env = { LOG_SAMPLE: "0", SLOW_CALL_MS: "200" };
    await using running = await runApp(env, { backend: () => failing });
    const analyze = () => running.client.analyze({ text: TEXT, tier, options });
    const slow = analyze();
    await until(() => backend.waiting === 1);
    await new Promise((done) => setTimeout(done, 250));
    backend.release();
    await slow;
    await analyze();
    fails = true;
    await assert.rejects(analyze());
    await until(() => linesOf(running).length === 2);
    assert.deepEqual(
      linesOf(running).map(({ level, msg, code }) => [level, msg, code]),
      [
        ["info", "slow call", "OK"],
        ["warn", "call failed", "INTERNAL"],
      ],
    );
    assert.doesNotMatch(JSON.stringify(running.log), /dreary/);
  });

  it("tells the start in about ten lines", async () => {
    await using running = await runApp({}, { backend: () => heldBackend() });
    const heads = running.log.map(({ msg }) => /^([a-z ]+): /.exec(String(msg))?.[1]);
    for (const head of ["processes", "threads", "backend", "memory", "caches", "tiers"])
      assert.ok(heads.includes(head), head);
    assert.ok(running.log.length < 20, String(running.log.length));
  });
});
