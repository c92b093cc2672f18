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
await using ghz = await createGhz();
const stream = ["--stream-call-count", String(50 * TEXTS), "--total", "1"];
type Load = (address: string) => Promise<GhzRun>;
const unary: Load = (address) =>
  ghz.run("unary", { address, messages: unaryMessages(texts, TIER), flags: LOAD });
const PATHS: Record<string, { readonly cached: boolean; readonly load: Load }> = {
  "analyze-cached": { cached: true, load: unary },
  analyze: { cached: false, load: unary },
  "analyze-batch": {
    cached: false,
    load: (address) =>
      ghz.run("batch", { address, messages: batchMessages(texts, TIER, 100), flags: LOAD }),
  },
  "analyze-stream-cached": {
    cached: true,
    load: (address) =>
      ghz.run("stream", { address, messages: streamMessages(texts, TIER), flags: stream }),
  },
};

async function profiled(name: string): Promise<Profile> {
  const { cached, load } = PATHS[name] ?? {};
  if (load === undefined) throw new Error(`no path ${name}`);
  const [port = 0] = await freePorts(1);
  const script = [`--inspect=127.0.0.1:${port}`, "dist/server/main.js"];
  await using server: BenchedServer = await startServer(
    cached ? { ENABLE_CACHING: "true" } : HARDLY_CACHED,
    { script },
  );
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
}
await writeFile(join(FOLDER, "top.md"), report.join("\n"));
process.stdout.write(`${report.join("\n")}\n`);
