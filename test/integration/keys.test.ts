import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { createClient, Metadata } from "nice-grpc";
import { Status } from "nice-grpc-common";
import { HealthDefinition } from "nice-grpc-server-health";
import { GRPCInferenceServiceDefinition } from "../../server/gen/inference/grpc_service.js";
import {
  AdminServiceDefinition,
  SentimentServiceDefinition,
  Tier,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { addNewKey } from "../../server/rpc/keys/new-key.js";
import { revokeKey } from "../../server/rpc/keys/revoke-key.js";
import { REFLECTIONS } from "../../server/rpc/reflection.js";
import { FakeClock } from "../support/fake-clock.js";
import { heldBackend, until } from "../support/held-backend.js";
import { inferRequest } from "../support/infer-messages.js";
import { type KeyFolder, keyFolder } from "../support/key-folder.js";
import { reflected } from "../support/reflected.js";
import { type RunningApp, runApp } from "../support/running-app.js";
import { failureOf } from "../support/status-details.js";
import { waitingStream } from "../support/waiting-stream.js";

const REQUEST = { text: "fine", tier: Tier.TIER_FAST, options: undefined };
const SERVING = 1;

const bearer = (key: string) => Metadata({ authorization: `Bearer ${key}` });

describe("a server with keys", function () {
  this.timeout(20_000);
  let folder: KeyFolder;
  let running: RunningApp;
  let clock: FakeClock;
  let reader: string;
  let admin: string;
  before(async () => {
    folder = await keyFolder();
    reader = await addNewKey(folder.file, "reader", ["analyze"]);
    admin = await addNewKey(folder.file, "operator", ["admin"]);
    clock = new FakeClock();
    const backend = heldBackend();
    backend.release();
    // Its clock is turned by hand, further than a stream may be idle.
    const env = { API_KEYS_FILE: folder.file, STREAM_IDLE_TIMEOUT: "0" };
    running = await runApp(env, { backend: () => backend, clock });
  });
  after(async () => {
    await running[Symbol.asyncDispose]();
    await folder[Symbol.asyncDispose]();
  });

  /** The failure of a call of each kind that shows `metadata`. */
  const refusals = (metadata: Metadata) => [
    failureOf((options) => running.client.analyze(REQUEST, { metadata, ...options })),
    failureOf((options) => running.client.listModels({}, { metadata, ...options })),
    failureOf(async (options) => {
      async function* requests() {
        yield { id: "1", ...REQUEST };
      }
      for await (const _ of running.client.analyzeStream(requests(), { metadata, ...options }));
    }),
  ];
  const reasonsOf = async (metadata: Metadata) =>
    (await Promise.all(refusals(metadata))).map(({ code, reason }) => [code, reason]);
  const linesWith = (level: string, words: string) =>
    running.log.filter((line) => line["level"] === level && String(line["msg"]).includes(words));
  /** A second later the file has been looked at, and such a line is in the log. */
  const looked = async (level: string, words: string) => {
    const before = linesWith(level, words).length;
    clock.advance(1000);
    await until(() => linesWith(level, words).length > before);
  };
  const reread = () => looked("info", "read again");
  const adminFailure = (metadata: Metadata) =>
    failureOf((options) =>
      createClient(AdminServiceDefinition, running.channel).getStatus({}, { metadata, ...options }),
    );

  it("answers who shows a key with the right, either way", async () => {
    for (const metadata of [bearer(reader), Metadata({ "x-api-key": reader })])
      assert.ok((await running.client.analyze(REQUEST, { metadata })).sentiment);
  });

  it("refuses calls without a key, with a wrong one, and with one that lacks the right", async () => {
    assert.deepEqual(
      await reasonsOf(Metadata()),
      Array(3).fill([Status.UNAUTHENTICATED, "KEY_MISSING"]),
    );
    assert.deepEqual(
      await reasonsOf(bearer("sap_wrong")),
      Array(3).fill([Status.UNAUTHENTICATED, "KEY_UNKNOWN"]),
    );
    assert.deepEqual(
      await reasonsOf(bearer(admin)),
      Array(3).fill([Status.PERMISSION_DENIED, "NOT_ALLOWED"]),
    );
  });

  it("lets the admin key to AdminService, and no other", async () => {
    assert.equal((await adminFailure(Metadata())).reason, "KEY_MISSING");
    assert.equal((await adminFailure(bearer(reader))).reason, "NOT_ALLOWED");
    const operator = createClient(AdminServiceDefinition, running.channel);
    assert.equal((await operator.getStatus({}, { metadata: bearer(admin) })).draining, false);
  });

  it("answers health to all, reflection to who has a key", async () => {
    const health = createClient(HealthDefinition, running.channel);
    assert.equal((await health.check({ service: "" })).status, SERVING);
    for (const name of REFLECTIONS) {
      const list = (metadata: Metadata) => reflected(name, running.channel, [], metadata);
      assert.ok((await list(bearer(reader))).includes(SentimentServiceDefinition.fullName));
      assert.ok((await list(bearer(admin))).includes(SentimentServiceDefinition.fullName));
      await assert.rejects(list(Metadata()), { code: Status.UNAUTHENTICATED });
    }
  });

  it("asks the KServe protocol for a key, but for its probes", async () => {
    const kserve = createClient(GRPCInferenceServiceDefinition, running.channel);
    const infer = (metadata: Metadata) =>
      failureOf((options) => kserve.modelInfer(inferRequest(["fine"]), { metadata, ...options }));
    assert.deepEqual(
      [(await infer(Metadata())).reason, (await infer(bearer("sap_wrong"))).reason],
      ["KEY_MISSING", "KEY_UNKNOWN"],
    );
    assert.equal((await infer(bearer(admin))).reason, "NOT_ALLOWED");
    const { outputs } = await kserve.modelInfer(inferRequest(["fine"]), {
      metadata: bearer(reader),
    });
    assert.ok(outputs.length > 0);
    assert.ok((await kserve.serverReady({})).ready);
    assert.ok((await kserve.modelReady({ name: "sentiment_fast", version: "" })).ready);
  });

  it("tells nothing apart of keys that are wrong, revoked or over", async () => {
    const revoked = await addNewKey(folder.file, "revoked", ["analyze"]);
    await revokeKey(folder.file, "revoked");
    const expires = "2020-01-31";
    const expired = await addNewKey(folder.file, "expired", ["analyze"], { expires });
    await reread();
    const other = reader.replace(/.{43}$/, "s".repeat(43));
    const failures = await Promise.all(
      ["sap_wrong", other, revoked, expired, "a.b.c", "x".repeat(15_000)].map((key) =>
        failureOf((options) =>
          running.client.analyze(REQUEST, { metadata: bearer(key), ...options }),
        ),
      ),
    );
    const [first] = failures;
    assert.deepEqual([first?.code, first?.reason], [Status.UNAUTHENTICATED, "KEY_UNKNOWN"]);
    for (const failure of failures) assert.deepEqual(failure, first);
  });

  it("ends a stream whose key is revoked within two seconds, and no other", async () => {
    const key = await addNewKey(folder.file, "streamer", ["analyze"]);
    await reread();
    const [ending, going] = [key, reader].map((one) => waitingStream(running.client, bearer(one)));
    await until(() => ending?.answered === 1 && going?.answered === 1);
    await revokeKey(folder.file, "streamer");
    await reread();
    clock.advance(1000);
    const failure = await ending?.failure;
    assert.deepEqual([failure?.code, failure?.reason], [Status.UNAUTHENTICATED, "KEY_UNKNOWN"]);
    assert.equal(going?.failed, undefined);
    await revokeKey(folder.file, "reader");
    await reread();
    clock.advance(1000);
    assert.equal((await going?.failure)?.reason, "KEY_UNKNOWN");
    reader = await addNewKey(folder.file, "reader", ["analyze"]);
    await reread();
  });

  it("ends a stream whose key expires", async () => {
    const expires = new Date(Date.now() + 1500).toISOString();
    const key = await addNewKey(folder.file, "guest", ["analyze"], { expires });
    await reread();
    const stream = waitingStream(running.client, bearer(key));
    await until(() => stream.answered === 1 || stream.failed !== undefined);
    assert.equal(stream.answered, 1);
    clock.advance(1000);
    await until(() => Date.now() >= Date.parse(expires));
    assert.equal(stream.failed, undefined);
    clock.advance(1000);
    assert.equal((await stream.failure).reason, "KEY_UNKNOWN");
  });

  it("takes in a new key while it runs, keeps the keys of a broken file, and logs no key", async () => {
    const added = await addNewKey(folder.file, "later", ["analyze"]);
    await reread();
    const { sentiment } = await running.client.analyze(REQUEST, { metadata: bearer(added) });
    assert.ok(sentiment);
    await writeFile(folder.file, `{"keys": "${added}"`);
    await looked("error", "keys read last stay");
    assert.ok((await running.client.analyze(REQUEST, { metadata: bearer(added) })).sentiment);
    assert.doesNotMatch(JSON.stringify(running.log), /sap_/);
  });
});

describe("a server without keys", function () {
  this.timeout(20_000);

  it("answers all, but has no AdminService, and says which setting switches it on", async () => {
    const backend = heldBackend();
    backend.release();
    await using running = await runApp({}, { backend: () => backend });
    assert.ok((await running.client.analyze(REQUEST)).sentiment);
    const admin = createClient(AdminServiceDefinition, running.channel);
    const failure = await failureOf((call) => admin.getStatus({}, call));
    assert.equal(failure.code, Status.PERMISSION_DENIED);
    assert.equal(failure.reason, "NOT_ALLOWED");
    assert.match(failure.message, /Set API_KEYS_FILE/);
  });

  it("warns when it is bound beyond loopback, and only then", async () => {
    await using folder = await keyFolder();
    await addNewKey(folder.file, "one", ["analyze"]);
    const warnings = async (env: Readonly<Record<string, string>>) => {
      await using running = await runApp(env, { backend: () => heldBackend() });
      return running.log.filter(({ level }) => level === "warn").map(({ msg }) => String(msg));
    };
    const [open, readable] = await warnings({ BIND_ADDRESS: "0.0.0.0" });
    assert.match(open ?? "", /set API_KEYS_FILE/);
    assert.match(readable ?? "", /set TLS_CERT and TLS_KEY/);
    assert.deepEqual(await warnings({}), []);
    const env = { BIND_ADDRESS: "0.0.0.0", API_KEYS_FILE: folder.file };
    assert.deepEqual(await warnings(env), [readable]);
  });
});
