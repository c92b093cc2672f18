import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { createClient, Metadata } from "nice-grpc";
import { Status } from "nice-grpc-common";
import { HealthDefinition } from "nice-grpc-server-health";
import { GRPCInferenceServiceDefinition } from "../../server/gen/inference/grpc_service.js";
import { AdminServiceDefinition, Tier } from "../../server/gen/sentiment/v1/sentiment.js";
import { addNewKey } from "../../server/rpc/keys/new-key.js";
import { FakeClock } from "../support/fake-clock.js";
import { heldBackend, until } from "../support/held-backend.js";
import { inferRequest } from "../support/infer-messages.js";
import {
  AUDIENCE,
  claimsAt,
  confusedToken,
  ISSUER,
  type KeySetServer,
  keySetServer,
  type SigningKey,
  signingKey,
} from "../support/issuer.js";
import { keyFolder } from "../support/key-folder.js";
import { type RunningApp, runApp } from "../support/running-app.js";
import { failureOf } from "../support/status-details.js";
import { waitingStream } from "../support/waiting-stream.js";

const REQUEST = { text: "fine", tier: Tier.TIER_FAST, options: undefined };
const UNKNOWN = [Status.UNAUTHENTICATED, "KEY_UNKNOWN"];

const bearer = (token: string) => Metadata({ authorization: `Bearer ${token}` });
const nowS = () => Math.floor(Date.now() / 1000);

describe("a server that takes tokens", function () {
  this.timeout(20_000);
  let issuer: KeySetServer;
  let key: SigningKey;
  let clock: FakeClock;
  let running: RunningApp;
  beforeEach(async () => {
    key = await signingKey("one", "RS256");
    issuer = await keySetServer(key.jwk);
    clock = new FakeClock();
    running = await start({});
  });
  afterEach(async () => {
    await running[Symbol.asyncDispose]();
    await issuer[Symbol.asyncDispose]();
  });

  const start = (env: Readonly<Record<string, string>>) => {
    const backend = heldBackend();
    backend.release();
    const jwt = { JWT_JWKS: issuer.url, JWT_ISSUER: ISSUER, JWT_AUDIENCE: AUDIENCE };
    // Its clock is turned by hand, further than a stream may be idle.
    const fixed = { LOG_LEVEL: "debug", STREAM_IDLE_TIMEOUT: "0" };
    return runApp({ ...jwt, ...fixed, ...env }, { backend: () => backend, clock });
  };
  const analyze = async (token: string) =>
    (await running.client.analyze(REQUEST, { metadata: bearer(token) })).sentiment;
  const refusal = async (token: string) => {
    const { code, reason } = await failureOf((options) =>
      running.client.analyze(REQUEST, { metadata: bearer(token), ...options }),
    );
    return [code, reason];
  };

  it("answers who shows a token with the right, and nobody without", async () => {
    assert.ok(await analyze(await key.sign()));
    assert.ok(
      (
        await running.client.analyze(REQUEST, {
          metadata: Metadata({ "x-api-key": await key.sign() }),
        })
      ).sentiment,
    );
    const missing = await failureOf((options) => running.client.analyze(REQUEST, options));
    assert.equal(missing.reason, "KEY_MISSING");
    const other = await key.sign({ scope: "sentiment:admin" });
    assert.deepEqual(await refusal(other), [Status.PERMISSION_DENIED, "NOT_ALLOWED"]);
    assert.deepEqual(await refusal("sap_wrong"), UNKNOWN);
  });

  it("has AdminService for tokens with its right, and the KServe protocol for those to analyze", async () => {
    const admin = createClient(AdminServiceDefinition, running.channel);
    const metadata = bearer(await key.sign({ permissions: ["sentiment:admin"], scope: "" }));
    assert.equal((await admin.getStatus({}, { metadata })).draining, false);
    const reader = bearer(await key.sign());
    const refused = await failureOf((call) => admin.getStatus({}, { metadata: reader, ...call }));
    assert.equal(refused.reason, "NOT_ALLOWED");
    const kserve = createClient(GRPCInferenceServiceDefinition, running.channel);
    assert.ok((await kserve.modelInfer(inferRequest(["fine"]), { metadata: reader })).outputs);
    const denied = await failureOf((call) =>
      kserve.modelInfer(inferRequest(["fine"]), { metadata, ...call }),
    );
    assert.equal(denied.reason, "NOT_ALLOWED");
    assert.ok((await kserve.serverLive({})).live);
    const health = createClient(HealthDefinition, running.channel);
    assert.equal((await health.check({ service: "" })).status, 1);
  });

  it("refuses whatever is wrong with a token in the same words, and repeats nothing of it", async () => {
    const stranger = await signingKey("one", "RS256");
    const signed = await key.sign();
    const tokens = [
      await key.sign({ exp: nowS() - 60 }),
      await key.sign({ aud: "billing" }),
      await key.sign({ iss: "https://other.example" }),
      await stranger.sign(),
      `${signed.slice(0, signed.lastIndexOf("."))}.`,
      `eyJhbGciOiJub25lIn0.${signed.split(".")[1]}.`,
      await confusedToken(key, claimsAt(Date.now())),
      `${signed}${"a".repeat(15_000)}`,
      await key.sign({ more: "a".repeat(10_000) }),
    ];
    const failures = await Promise.all(
      tokens.map((token) =>
        failureOf((options) =>
          running.client.analyze(REQUEST, { metadata: bearer(token), ...options }),
        ),
      ),
    );
    const [first] = failures;
    assert.deepEqual([first?.code, first?.reason], UNKNOWN);
    for (const failure of failures) assert.deepEqual(failure, first);
    const told = JSON.stringify([running.log, first]);
    assert.doesNotMatch(told, /eyJ|billing|other\.example/);
    const reasons = running.log.filter(({ msg }) => msg === "a token was refused");
    assert.ok(reasons.some(({ why }) => why === "ERR_JWT_EXPIRED"));
  });

  it("takes the issuer's new keys, refuses those that it takes back, and lives without it meanwhile", async () => {
    const next = await signingKey("two", "EdDSA");
    issuer.keys = [key.jwk, next.jwk];
    clock.advance(30_000);
    assert.ok(await analyze(await next.sign()));
    assert.ok(await analyze(await key.sign()));
    issuer.status = 503;
    const { asked } = issuer;
    clock.advance(300_000);
    await until(() => issuer.asked > asked && running.log.some(({ level }) => level === "error"));
    assert.ok(await analyze(await key.sign()));
    issuer.status = 200;
    issuer.keys = [next.jwk];
    clock.advance(300_000);
    await until(() => running.log.some(({ keys }) => keys === 1));
    assert.deepEqual(await refusal(await key.sign()), UNKNOWN);
    assert.ok(await analyze(await next.sign()));
  });

  it("ends a stream whose token expires", async () => {
    // Issuers' clocks may be off by five.
    const exp = nowS() - 3;
    const [short, long] = await Promise.all([key.sign({ exp }), key.sign()]);
    const stream = waitingStream(running.client, bearer(short));
    const other = waitingStream(running.client, bearer(long));
    await until(() => stream.answered === 1 && other.answered === 1);
    clock.advance(1000);
    await until(() => Date.now() >= (exp + 5) * 1000);
    assert.equal(stream.failed, undefined);
    clock.advance(1000);
    const { code, reason } = await stream.failure;
    assert.deepEqual([code, reason], UNKNOWN);
    assert.equal(other.failed, undefined);
  });

  it("takes keys of a file beside them, each by its looks", async () => {
    await using folder = await keyFolder();
    const listed = await addNewKey(folder.file, "team-a", ["analyze"]);
    await using both = await start({ API_KEYS_FILE: folder.file });
    for (const shown of [listed, await key.sign()]) {
      const { sentiment } = await both.client.analyze(REQUEST, { metadata: bearer(shown) });
      assert.ok(sentiment);
    }
    assert.deepEqual(await refusal(listed), UNKNOWN);
  });

  it("takes a key set from a file, and warns of no open address", async () => {
    await using folder = await keyFolder();
    await writeFile(folder.file, JSON.stringify({ keys: [key.jwk] }));
    const env = { JWT_JWKS: folder.file, BIND_ADDRESS: "0.0.0.0" };
    await using local = await start(env);
    const metadata = bearer(await key.sign());
    assert.ok((await local.client.analyze(REQUEST, { metadata })).sentiment);
    const warnings = local.log.flatMap(({ level, msg }) => (level === "warn" ? String(msg) : []));
    assert.ok(
      warnings.every((warning) => !warning.includes("anybody")),
      warnings.join(),
    );
  });

  it("does not start without its key set", async () => {
    issuer.status = 500;
    await assert.rejects(start({}), { name: "StartupError", message: /JWT_JWKS: .* 200 OK/ });
  });
});
