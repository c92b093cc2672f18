/**
 * CPU profiles of the thread that takes calls, on each hot path under full load, with the ten lines that take most of its time. Chrome's DevTools
 * open the files.
 *
 *   make bench-profile          writes benchmarks/results/profiles/<path>.cpuprofile and top.md beside them
 */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Tier } from "../server/gen/sentiment/v1/sentiment.js";
import { freePorts } from "../test/support/ports.js";
import { startRedis } from "../test/support/redis-server.js";
import { startTriton } from "../test/support/triton-server.js";
import { batchMessages, createGhz, type GhzRun, streamMessages, unaryMessages } from "./ghz.js";
import { inspect, type Profile } from "./profile/inspector.js";
import { linesOf } from "./profile/lines.js";
import { type BenchedServer, callServer, HARDLY_CACHED, startServer } from "./server.js";
import { lognormalTexts } from "./texts.js";

const FOLDER = "benchmarks/results/profiles";
const TIER = Tier.TIER_FAST;
const SECONDS = 8;
/** The load begins before, and goes on after. */
const LEAD_MS = 1000;
const LOAD = ["--duration", `${SECONDS + 4}s`, "--duration-stop", "wait"];
const TEXTS = 5000;
const TOP = 10;

const texts = await lognormalTexts(TEXTS, "triton-model-repo/sentiment_fast/tokenizer.json");
await using stack = new AsyncDisposableStack();
const ghz = stack.use(await createGhz());
/** Far more than a stream's texts of the time that is looked at. */
const stream = (times: number) => [
  ...["--stream-call-count", String(times * TEXTS), "--total", "1"],
];
type Load = (address: string) => Promise<GhzRun>;
interface Path {
  readonly env: Readonly<Record<string, string>>;
  readonly load: Load;
}
const unary: Load = (address) =>
  ghz.run("unary", { address, messages: unaryMessages(texts, TIER), flags: LOAD });
const batches: Load = (address) =>
  ghz.run("batch", { address, messages: batchMessages(texts, TIER, 100), flags: LOAD });
const streams =
  (times: number): Load =>
  (address) =>
    ghz.run("stream", { address, messages: streamMessages(texts, TIER), flags: stream(times) });
/** More callers than are answered by a queue of 20 ms. */
const tooMany: Load = (address) =>
  ghz.run("unary", {
    address,
    messages: unaryMessages(texts, TIER),
    flags: [...LOAD, "--concurrency", "512"],
  });
const redis = stack.use(await startRedis());
const triton = stack.use(await startTriton());
const CACHED = { ENABLE_CACHING: "true" };
const PATHS: Record<string, Path> = {
  "analyze-cached": { env: CACHED, load: unary },
  analyze: { env: HARDLY_CACHED, load: unary },
  "analyze-batch": { env: HARDLY_CACHED, load: batches },
  "analyze-stream-cached": { env: CACHED, load: streams(50) },
  "analyze-stream": { env: HARDLY_CACHED, load: streams(5) },
  "analyze-refused": { env: { ...HARDLY_CACHED, QUEUE_TIMEOUT: "0.02" }, load: tooMany },
  "analyze-redis": { env: { ...HARDLY_CACHED, REDIS_URL: redis.url }, load: unary },
  "analyze-batch-triton": {
    env: { ...HARDLY_CACHED, BACKEND: "triton", TRITON_URL: triton.url },
    load: batches,
  },
};

async function profiled(name: string): Promise<Profile> {
  const { env, load } = PATHS[name] as Path;
  const [port = 0] = await freePorts(1);
  const script = [`--inspect=127.0.0.1:${port}`, "dist/server/main.js"];
  await using server: BenchedServer = await startServer(env, { script });
  // A server that refuses is warmed by its load: what it refuses would end this.
  if (!("QUEUE_TIMEOUT" in env))
    await callServer(server.client, TIER, texts, { textsPerCall: 100, callsAtOnce: 4 });
  await using inspector = await inspect(port);
  const loading = load(server.address);
  await sleep(LEAD_MS);
  const profile = await inspector.profile(SECONDS * 1000);
  await loading;
  return profile;
}

await mkdir(FOLDER, { recursive: true });
const report: string[] = [];
for (const name of Object.keys(PATHS)) {
  const profile = await profiled(name);
  await writeFile(join(FOLDER, `${name}.cpuprofile`), JSON.stringify(profile));
  const { busy, lines } = linesOf(profile);
  report.push(`## ${name}: the thread is busy ${(100 * busy).toFixed(0)} % of the time`, "");
  report.push("| of that | function | where |", "|---|---|---|");
  for (const { share, name: what, where } of lines.slice(0, TOP))
    report.push(`| ${(100 * share).toFixed(1)} % | \`${what}\` | ${where} |`);
  report.push("");
  // At once: a path that fails must not take what was seen of others with it.
  await writeFile(join(FOLDER, "top.md"), report.join("\n"));
}
process.stdout.write(`${report.join("\n")}\n`);
