import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { createClient, Metadata, Status } from "nice-grpc";
import {
  type AdminServiceClient,
  AdminServiceDefinition,
  ProfileKind,
  Tier,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { addNewKey } from "../../server/rpc/keys/new-key.js";
import { heldBackend, until } from "../support/held-backend.js";
import { type RunningApp, runApp } from "../support/running-app.js";
import { type ScratchFolder, scratchFolder } from "../support/scratch-folder.js";
import { failureOf } from "../support/status-details.js";

const SECOND = { seconds: 1, nanos: 0 };
const MINUTE = { seconds: 60, nanos: 0 };
const SERVER_CODE = /\/dist\/server\/(?!gen\/)/;
const {
  PROFILE_KIND_CPU: CPU,
  PROFILE_KIND_HEAP: HEAP,
  PROFILE_KIND_ALLOCATION: ALLOCATION,
} = ProfileKind;

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
}

describe("AdminService's profiles and status", function () {
  this.timeout(30_000);
  let scratch: ScratchFolder;
  let folder: string;
  let metadata: Metadata;
  let env: Readonly<Record<string, string>>;
  before(async () => {
    scratch = await scratchFolder();
    folder = join(scratch.path, "profiles");
    const keys = join(scratch.path, "keys.json");
    const key = await addNewKey(keys, "operator", ["admin", "analyze"]);
    metadata = Metadata({ "x-api-key": key });
    env = { API_KEYS_FILE: keys, PROFILE_DIR: folder, ENABLE_CACHING: "true" };
  });
  after(() => scratch[Symbol.asyncDispose]());

  const adminOf = ({ channel }: RunningApp): AdminServiceClient =>
    createClient(AdminServiceDefinition, channel, { "*": { metadata } });
  const analyze = (running: RunningApp, text: string) =>
    running.client.analyze({ text, tier: Tier.TIER_FAST, options: undefined }, { metadata });
  /** Does `work` while calls come without a pause; all of them must be answered. */
  async function underLoad<Result>(running: RunningApp, work: Promise<Result>): Promise<Result> {
    let done = false;
    const ended = work.finally(() => {
      done = true;
    });
    const caller = async (number: number) => {
      for (let call = 0; !done; call++)
        assert.ok((await analyze(running, `call ${call} of ${number}`)).sentiment);
    };
    await Promise.all([1, 2, 3, 4].map(caller));
    return ended;
  }

  describe("with the real models", () => {
    let running: RunningApp;
    let admin: AdminServiceClient;
    before(async () => {
      running = await runApp(env);
      admin = adminOf(running);
    });
    after(() => running[Symbol.asyncDispose]());

    it("a CPU profile under load opens, and names functions of ours", async () => {
      const { path, sizeBytes } = await underLoad(
        running,
        admin.captureProfile({ kind: CPU, duration: SECOND }),
      );
      const text = await readFile(path, "utf8");
      assert.equal(Buffer.byteLength(text), sizeBytes);
      const frames: CallFrame[] = JSON.parse(text).nodes.map(
        ({ callFrame }: { callFrame: CallFrame }) => callFrame,
      );
      const ours = frames.filter(({ url }) => SERVER_CODE.test(url));
      const names = new Set(ours.map(({ functionName }) => functionName));
      assert.ok(names.has("around"), [...names].join());
      assert.ok(running.log.some((line) => line["path"] === path && line["kind"] === "cpu"));
    });

    it("what allocates under load is told too", async () => {
      const { path } = await underLoad(
        running,
        admin.captureProfile({ kind: ALLOCATION, duration: SECOND }),
      );
      const text = await readFile(path, "utf8");
      assert.ok(JSON.parse(text).head);
      assert.match(text, SERVER_CODE);
    });

    it("a heap snapshot opens, and calls that wait for it are answered", async () => {
      const { path } = await underLoad(
        running,
        admin.captureProfile({ kind: HEAP, duration: undefined }),
      );
      assert.ok(JSON.parse(await readFile(path, "utf8")).snapshot.node_count > 10_000);
    });

    it("a duration out of bounds is refused", async () => {
      for (const seconds of [0, 61]) {
        const failure = await failureOf((call) =>
          admin.captureProfile({ kind: CPU, duration: { seconds, nanos: 0 } }, call),
        );
        assert.equal(failure.code, Status.INVALID_ARGUMENT);
        assert.deepEqual(failure.fields, ["duration"]);
        assert.match(failure.message, /1 to 60 seconds/);
      }
    });

    it("status tells version, start, models, cache and memory", async () => {
      await analyze(running, "a fine evening");
      const status = await admin.getStatus({});
      const { version } = JSON.parse(await readFile("package.json", "utf8"));
      assert.equal(status.version, version);
      const age = Date.now() - Number(status.started);
      assert.ok(age > 0 && age < 60_000, String(status.started));
      const { models } = await running.client.listModels({}, { metadata });
      assert.deepEqual(status.models, models);
      assert.ok(status.cacheEntries >= 1);
      assert.ok(status.memoryBytes > 50_000_000);
      assert.deepEqual([status.queuedTexts, status.queuedTokens, status.draining], [0, 0, false]);
    });
  });

  it("one profile is recorded at a time, and a caller who leaves ends his and leaves no file", async () => {
    const backend = heldBackend();
    await using running = await runApp(env, { backend: () => backend });
    const admin = adminOf(running);
    const leaving = new AbortController();
    const filesOf = async () =>
      (await readdir(folder).catch(() => [])).filter((name) => name.endsWith(".part"));
    const gone = assert.rejects(
      admin.captureProfile({ kind: CPU, duration: MINUTE }, { signal: leaving.signal }),
    );
    while ((await filesOf()).length === 0);
    const refused = await failureOf((call) =>
      admin.captureProfile({ kind: ALLOCATION, duration: SECOND }, call),
    );
    assert.deepEqual([refused.code, refused.reason], [Status.RESOURCE_EXHAUSTED, "OVERLOADED"]);
    const { retryAfterSeconds = 0 } = refused;
    assert.ok(retryAfterSeconds > 50 && retryAfterSeconds <= 60, String(retryAfterSeconds));
    const before = await readdir(folder);
    leaving.abort();
    await gone;
    while ((await filesOf()).length > 0);
    assert.equal((await readdir(folder)).length, before.length - 1);
    const { path } = await admin.captureProfile({ kind: CPU, duration: SECOND });
    assert.ok(JSON.parse(await readFile(path, "utf8")).nodes.length > 0);
    assert.ok(!running.log.some(({ level }) => level === "error"));
  });

  it("a folder that cannot be written is told, with the setting that mends it", async () => {
    const file = join(scratch.path, "file");
    await writeFile(file, "");
    const backend = heldBackend();
    await using running = await runApp(
      { ...env, PROFILE_DIR: join(file, "profiles") },
      { backend: () => backend },
    );
    for (const kind of [CPU, HEAP]) {
      const failure = await failureOf((call) =>
        adminOf(running).captureProfile({ kind, duration: MINUTE }, call),
      );
      const { code, reason, message } = failure;
      assert.deepEqual([code, reason], [Status.FAILED_PRECONDITION, "PROFILE_UNWRITABLE"]);
      assert.match(message, /ENOTDIR.*set PROFILE_DIR/);
    }
  });

  it("status tells what waits, and is answered while the server drains", async () => {
    const backend = heldBackend();
    const running = await runApp(env, { backend: () => backend, probeMs: 60_000 });
    const admin = adminOf(running);
    const calls = ["one text", "another text", "a third"].map((text) => analyze(running, text));
    await until(() => backend.waiting === 1);
    let status = await admin.getStatus({});
    while (status.queuedTexts < 2) status = await admin.getStatus({});
    assert.equal(status.queuedTexts, 2);
    // With the two special tokens of each.
    assert.ok(status.queuedTokens >= 6 && status.queuedTokens < 20, String(status.queuedTokens));
    backend.release();
    await Promise.all(calls);
    void running.app[Symbol.asyncDispose]();
    assert.equal((await admin.getStatus({})).draining, true);
    const refused = await failureOf((call) =>
      admin.captureProfile({ kind: CPU, duration: SECOND }, call),
    );
    assert.equal(refused.reason, "DRAINING");
    running.channel.close();
  });

  it("ends a profile at once when the server drains", async () => {
    const running = await runApp(env);
    const capture = failureOf((call) =>
      adminOf(running).captureProfile({ kind: CPU, duration: MINUTE }, call),
    );
    await sleep(300);
    const startedMs = performance.now();
    await running[Symbol.asyncDispose]();
    assert.ok(performance.now() - startedMs < 5000);
    assert.equal((await capture).reason, "DRAINING");
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.endsWith(".part")),
      [],
    );
  });
});
