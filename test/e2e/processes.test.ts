import assert from "node:assert/strict";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Channel,
  ClientError,
  createChannel,
  createClient,
  Metadata,
  Status,
} from "nice-grpc";
import {
  AdminServiceDefinition,
  CacheTier,
  type SentimentServiceClient,
  SentimentServiceDefinition,
  Tier,
} from "../../server/gen/sentiment/v1/sentiment.js";
import { addNewKey } from "../../server/rpc/keys/new-key.js";
import { type KeyFolder, keyFolder } from "../support/key-folder.js";
import { childrenOf } from "../support/process-group.js";
import { type RepositoryCopy, repositoryCopy } from "../support/repository-copy.js";
import { scratchFolder } from "../support/scratch-folder.js";
import { runCommand, type ServerProcess, start, startServer } from "../support/server-process.js";
import { failureOf } from "../support/status-details.js";

const tier = Tier.TIER_FAST;
const { CACHE_TIER_MEMORY: MEMORY, CACHE_TIER_NONE: NONE } = CacheTier;
const weightsIn = async (folder: string) =>
  (await readdir(folder)).filter((name) => name.startsWith("sentiment-weights-"));
/** One of the client's own: equal ones would share one. */
const OWN_CONNECTION = { "grpc.use_local_subchannel_pool": 1 };

describe("several processes behind one port", function () {
  this.timeout(30_000);
  let repository: RepositoryCopy;
  let keys: KeyFolder;
  let metadata: Metadata;
  let channels: Channel[];
  before(async () => {
    repository = await repositoryCopy("fast");
    keys = await keyFolder();
    const key = await addNewKey(keys.file, "operator", ["admin", "analyze"]);
    metadata = Metadata({ "x-api-key": key });
  });
  after(async () => {
    await repository[Symbol.asyncDispose]();
    await keys[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    channels = [];
  });
  afterEach(() => {
    for (const channel of channels) channel.close();
  });

  const env = () => ({
    PROCESSES: "2",
    MODEL_REPOSITORY: repository.folder,
    DEFAULT_TIER: "fast",
    WARM_UP_FILE: "/dev/null",
    API_KEYS_FILE: keys.file,
  });
  const clientOf = ({ address }: ServerProcess) => {
    const channel = createChannel(address, undefined, OWN_CONNECTION);
    channels.push(channel);
    const client = createClient(SentimentServiceDefinition, channel, { "*": { metadata } });
    const admin = createClient(AdminServiceDefinition, channel, { "*": { metadata } });
    return { client, admin };
  };
  const cacheOf = async (client: SentimentServiceClient, text: string) =>
    (await client.analyze({ text, tier, options: undefined })).sentiment?.cache;
  /** Two clients with a connection each. Connections are dealt out in turn, so each is another process's. */
  const bothOf = async (server: ServerProcess) => {
    const [one, other] = [clientOf(server), clientOf(server)];
    await one.client.listModels({});
    await other.client.listModels({});
    return [one, other] as const;
  };
  const scrape = async ({ opsAddress }: ServerProcess) =>
    (await (await fetch(`http://${opsAddress}/metrics`)).text()).split("\n");
  const ready = async ({ opsAddress }: ServerProcess) => {
    const { status, ...answer } = await fetch(`http://${opsAddress}/readyz`).then(
      async (response) => ({ status: response.status, ...((await response.json()) as object) }),
    );
    return [status, answer] as const;
  };
  const untilSaid = async ({ log }: ServerProcess, message: string) => {
    while (!log.some(({ msg }) => msg === message)) await sleep(20);
  };

  it("answer side by side, with caches of their own, and are cleared, warmed and unloaded together", async () => {
    await using server = await startServer(env());
    const [one, other] = await bothOf(server);
    const text = "a fine evening";
    assert.deepEqual(
      [await cacheOf(one.client, text), await cacheOf(one.client, text)],
      [NONE, MEMORY],
    );
    assert.equal(await cacheOf(other.client, text), NONE, "both went to one process");
    assert.equal(await cacheOf(other.client, text), MEMORY);
    const all = { cache: CacheTier.CACHE_TIER_UNSPECIFIED, model: "" };
    assert.equal((await one.admin.clearCache(all)).cleared, 2);
    for (const { client } of [one, other]) assert.equal(await cacheOf(client, text), NONE);

    const warmed = await other.admin.warmCache({ texts: ["a dull day", text], tier });
    assert.deepEqual(warmed, { warmed: 2, present: 2, failed: 0 });
    for (const { client } of [one, other])
      assert.equal(await cacheOf(client, "a dull day"), MEMORY);

    const loaded = /^sentiment_model_loaded\{model="sentiment_fast",version="[^"]+"\} ([01])$/m;
    const isLoaded = async () => loaded.exec((await scrape(server)).join("\n"))?.[1];
    assert.equal(await isLoaded(), "1");
    const status = await one.admin.getStatus({});
    assert.equal(status.cacheEntries, 4, "two in each");
    assert.equal(status.models[0]?.ready, true);
    const page = await fetch(`http://${server.opsAddress}/status`, {
      headers: { accept: "application/json" },
    });
    const { processes } = (await page.json()) as {
      processes: { process: number; cache: { texts: number }; memory: { bytes: number } }[];
    };
    assert.deepEqual(
      processes.map(({ process, cache }) => [process, cache.texts]),
      [
        [1, 2],
        [2, 2],
      ],
    );
    assert.ok(status.memoryBytes > Math.max(...processes.map(({ memory }) => memory.bytes)));

    await one.admin.unloadModel({ tier });
    assert.equal(await isLoaded(), "0");
    const lines = await scrape(server);
    for (const line of [
      'sentiment_model_unloads_total{model="sentiment_fast",cause="admin"} 2',
      'sentiment_model_loads_total{model="sentiment_fast"} 2',
      'sentiment_cache_lookups_total{tier="memory",outcome="hit"} 4',
      'sentiment_processes{state="serving"} 2',
    ])
      assert.ok(lines.includes(line), `${line} is not in\n${lines.join("\n")}`);
    await other.admin.loadModel({ tier });
    assert.equal(await isLoaded(), "1");
  });

  /** Codes of the calls that failed, of eight at once until the signal. */
  async function failuresOf(client: SentimentServiceClient, signal: AbortSignal) {
    const failures: Status[] = [];
    const calls = Array.from({ length: 8 }, async (_, caller) => {
      for (let call = 0; !signal.aborted; call++) {
        const request = { text: `day ${call} of ${caller}`, tier, options: undefined };
        await client.analyze(request).catch(async (error: unknown) => {
          failures.push(error instanceof ClientError ? error.code : assert.fail(String(error)));
          await sleep(10);
        });
      }
    });
    await Promise.all(calls);
    return failures;
  }

  it("live on when one of them is killed, which is replaced; counts do not fall", async () => {
    await using server = await startServer(env());
    const { pid = 0 } = server.child;
    const clients = await bothOf(server);
    const over = new AbortController();
    const loads = clients.map(({ client }) => failuresOf(client, over.signal));
    await sleep(300);
    const loadsTotal = 'sentiment_model_loads_total{model="sentiment_fast"}';
    assert.ok((await scrape(server)).includes(`${loadsTotal} 2`));
    const [victim = 0, survivor] = await childrenOf(pid);
    process.kill(victim, "SIGKILL");
    await untilSaid(server, "process replaced");
    over.abort();
    const failed = await Promise.all(loads);
    // Of the one that was killed only what was under way, or was sent until the client had connected anew.
    assert.deepEqual(
      Math.min(...failed.map((codes) => codes.length)),
      0,
      `calls to the survivor failed: ${failed}`,
    );
    for (const code of failed.flat()) assert.equal(code, Status.UNAVAILABLE);
    assert.ok(failed.flat().length > 0, "nothing was under way");
    const now = await childrenOf(pid);
    assert.equal(now.length, 2);
    assert.ok(now.includes(survivor ?? 0) && !now.includes(victim));
    const lines = await scrape(server);
    assert.ok(lines.includes(`${loadsTotal} 3`), lines.join("\n"));
    assert.ok(lines.includes("sentiment_process_deaths_total 1"));
    const died = server.log.find(({ level }) => level === "error");
    assert.deepEqual([died?.["how"], died?.["restMs"]], ["SIGKILL", 100]);
    const [status, answer] = await ready(server);
    assert.equal(status, 200);
    const processes = [1, 2].map((number) => ({ process: number, reasons: [] }));
    assert.deepEqual(answer, { ready: true, processes });
  });

  it("have the weights of a model in memory once, of a file that has no name any more; one that takes another's place trusts nothing that lies where they were", async () => {
    await using folder = await scratchFolder();
    await using server = await startServer({ ...env(), TMPDIR: folder.path, MAX_WORKERS: "2" });
    const { pid = 0 } = server.child;
    const files = async (of: number) => {
      const maps = (await readFile(`/proc/${of}/maps`, "utf8")).split("\n");
      const ours = maps.filter((line) => line.includes(`${folder.path}/sentiment-weights-`));
      return new Set(ours.map((line) => line.split(/\s+/)[4]));
    };
    const [first = 0, second = 0] = await childrenOf(pid);
    assert.equal((await files(first)).size, 1);
    assert.deepEqual(await files(first), await files(second));
    assert.deepEqual(await weightsIn(folder.path), []);

    // Of what has no name any more `maps` tells the name that it had.
    const maps = await readFile(`/proc/${first}/maps`, "utf8");
    const [, name = "", digest = ""] =
      /\/(sentiment-weights-[^/]+)\/([0-9a-f]{64})/.exec(maps) ?? [];
    await mkdir(join(folder.path, name, digest), { recursive: true });
    await writeFile(join(folder.path, name, digest, "model.onnx"), "another's");
    process.kill(first, "SIGKILL");
    await untilSaid(server, "process replaced");
    const [replacement = 0] = (await childrenOf(pid)).filter((one) => one !== second);
    assert.equal((await files(replacement)).size, 0);
    const [one, other] = await bothOf(server);
    for (const { client } of [one, other]) assert.equal(await cacheOf(client, "as before"), NONE);
    await one.admin.unloadModel({ tier });
    for (const { client } of [one, other]) assert.equal(await cacheOf(client, "again"), NONE);
    assert.deepEqual(
      server.log.filter(({ msg }) => msg === "inference worker"),
      [],
    );
  });

  it("tell of one that hangs, do not wait for it, and replace it within seconds", async () => {
    await using server = await startServer(env());
    const [one, other] = await bothOf(server);
    const [frozen = 0] = await childrenOf(server.child.pid ?? 0);
    process.kill(frozen, "SIGSTOP");
    const [status, { processes }] = (await ready(server)) as [number, { processes: unknown[] }];
    assert.equal(status, 200);
    assert.match(
      JSON.stringify(processes),
      /\[\].*No answer within 0.5 s|No answer within 0.5 s.*\[\]/,
    );
    const lines = await scrape(server);
    assert.ok(lines.includes("sentiment_process_late_total 1"), lines.join("\n"));
    assert.ok(lines.includes('sentiment_processes{state="serving"} 2'));
    const all = { cache: CacheTier.CACHE_TIER_UNSPECIFIED, model: "" };
    const answers = one.client.listModels({}).then(
      () => true,
      () => false,
    );
    // Whichever of them it is that was first to listen, and so got the first connection.
    const asking = (await Promise.race([answers, sleep(500)])) ? one : other;
    const failure = await failureOf((call) => asking.admin.clearCache(all, call));
    assert.equal(failure.code, Status.UNAVAILABLE);
    assert.match(
      failure.message,
      /^Done by 1 of 2 processes\. Process [12]: It has (ended|died), and is being replaced/,
    );
    await untilSaid(server, "process replaced");
    assert.ok(server.log.some(({ why }) => why === "stopped"));
    const both = [1, 2].map((number) => ({ process: number, reasons: [] }));
    assert.deepEqual(await ready(server), [200, { ready: true, processes: both }]);
  });

  /** A stream that has answered one text, and waits for the next, which never comes. */
  async function openStream({ client }: { readonly client: SentimentServiceClient }) {
    async function* requests() {
      yield { id: "1", text: "fine", tier, options: undefined };
      await new Promise(() => {});
    }
    const answers = client.analyzeStream(requests())[Symbol.asyncIterator]();
    assert.ok((await answers.next()).value?.sentiment);
    const rest = answers.next().then(
      () => "answered",
      (error: Error) => error.message,
    );
    return { rest };
  }

  it("drain all at a signal, end when all have, and keep the answers of each", async () => {
    const CACHE_FILE = join(repository.folder, "answers");
    const server = await startServer({ ...env(), CACHE_FILE });
    const streams = await Promise.all((await bothOf(server)).map(openStream));
    server.child.kill("SIGTERM");
    for (const { rest } of streams)
      assert.match(await rest, /UNAVAILABLE: The server is shutting down/);
    // Resolves when nobody holds its output any more: no process is left.
    const { code, stderr } = await server.ended;
    assert.deepEqual([code, stderr], [0, ""]);
    assert.equal(server.log.filter(({ msg }) => msg === "stopped").length, 3);
    assert.equal(server.log.at(-1)?.["process"], undefined, "the primary was not the last");
    const files = (await readdir(repository.folder)).filter((name) => name.startsWith("answers"));
    assert.deepEqual(files.toSorted(), ["answers.1", "answers.2"]);
  });

  it("end at once at a second signal, all of them", async () => {
    const server = await startServer(env());
    await Promise.all((await bothOf(server)).map(openStream));
    server.child.kill("SIGTERM");
    await untilSaid(server, "draining all processes");
    assert.equal(server.child.exitCode, null);
    const startedMs = performance.now();
    server.child.kill("SIGINT");
    await server.ended;
    assert.ok(performance.now() - startedMs < 1000, "they waited for probes");
    assert.equal(server.child.signalCode, "SIGINT");
  });

  it("drain and end when their primary is killed", async () => {
    const server = await startServer(env());
    const streams = await Promise.all((await bothOf(server)).map(openStream));
    server.child.kill("SIGKILL");
    for (const { rest } of streams)
      assert.match(await rest, /UNAVAILABLE: The server is shutting down/);
    await server.ended;
    assert.equal(server.log.filter(({ msg }) => msg === "stopped").length, 2);
  });

  /** The server, which has loaded one of its models, and has others to load. */
  async function starting(folder: string) {
    const { child, ended } = start(runCommand(), {
      ...env(),
      TMPDIR: folder,
      MODEL_REPOSITORY: "triton-model-repo",
      GRPC_PORT: "0",
      HTTP_PORT: "0",
      REST_BRIDGE: "false",
    });
    await new Promise<void>((loads) => {
      child.stdout?.on("data", (bytes) => String(bytes).includes('"model loaded"') && loads());
    });
    return { child, ended };
  }

  it("end when their primary is killed while they start, and what they leave is removed by the next", async () => {
    await using folder = await scratchFolder();
    const { child, ended } = await starting(folder.path);
    child.kill("SIGKILL");
    // Their output is his, and is closed when the last of them has ended.
    const { stdout } = await ended;
    assert.ok(!stdout.includes("serving gRPC on"), stdout);
    await using _next = await startServer({ ...env(), TMPDIR: folder.path });
    assert.deepEqual(await weightsIn(folder.path), []);
  });

  it("end at once at a signal that comes while they start, and leave nothing behind", async () => {
    await using folder = await scratchFolder();
    const { child, ended } = await starting(folder.path);
    child.kill("SIGTERM");
    const { code, stdout, stderr } = await ended;
    assert.deepEqual([code, stderr], [0, ""]);
    assert.ok(!stdout.includes("serving gRPC on"), stdout);
    assert.deepEqual(await weightsIn(folder.path), []);
  });

  /** What the server says; it must end by itself with exit code 1, and no process may be left. */
  async function faultOf(settings: Readonly<Record<string, string>>) {
    const { ended } = start(runCommand(), {
      ...env(),
      GRPC_PORT: "0",
      HTTP_PORT: "0",
      ...settings,
    });
    const { code, stdout, stderr } = await ended;
    assert.equal(code, 1, stderr);
    return { stdout, stderr };
  }

  it("do not start where the models cannot be served, with one message", async () => {
    const { stderr } = await faultOf({ MODEL_REPOSITORY: "no-such-folder" });
    assert.match(stderr, /^sentiment: MODEL_REPOSITORY no-such-folder [^\n]*\n$/);
  });

  it("do not start on a port in use, with one message", async () => {
    await using server = await startServer(env());
    const port = server.address.split(":").at(-1) ?? "";
    const log = server.log.map((line) => JSON.stringify(line)).join("\n");
    const { stdout, stderr } = await faultOf({ GRPC_PORT: port });
    assert.match(
      stderr,
      new RegExp(`^sentiment: GRPC_PORT ${port} is in use on 127\\.0\\.0\\.1: [^\\n]*\\n$`),
    );
    const loads = /"msg":"model loaded"/;
    assert.match(
      log,
      loads,
      "it is no longer said so: this cannot see whether models were loaded first",
    );
    assert.doesNotMatch(stdout, loads);
  });
});
