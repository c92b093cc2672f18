/**
 * The server under a steady load of every kind of call for an hour, with everything switched on (Redis, traces, keys with a quota, the memory manager, threads that read long texts, caches so small
 * that they evict): does its memory grow? It is looked at every five seconds; the slope of its resident memory in MINUTES after WARM_UP (half as many), in
 * MB an hour, by least squares and by Theil and Sen. Until then caches fill, code is compiled, and for three quarters of it calls come twice as
 * often: memory that only rushes need is there before it is judged, where a steady load would find the last of it for hours. The load is a process of its own.
 *
 *   make soak [MINUTES=60] [WARM_UP=<minutes>] [RATE=<calls a second>]
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { addNewKey } from "../server/rpc/keys/new-key.js";
import { startRedis } from "../test/support/redis-server.js";
import { scratchFolder } from "../test/support/scratch-folder.js";
import { startSpanSink } from "../test/support/span-sink.js";
import { quantile } from "../test/support/steady-load.js";
import { headOf, type Measured, record } from "./results.js";
import { startServer } from "./server.js";
import { type Sample, sampleOf } from "./soak/sample.js";
import { leastSquares, theilSen } from "./soak/slope.js";
import { type Series, timeChart } from "./soak/time-chart.js";

const SAMPLE_MS = 5000;
const MINUTE_MS = 60_000;
/** MB an hour, of runs that are long enough to tell. */
const MOST_SLOPE = 1;
const JUDGED_MINUTES = 60;
/** A server that refuses needs no memory. */
const MOST_REFUSED = 0.05;
/** As many as a chart is wide. */
const KEPT_SAMPLES = 720;
/** Of the rate, in that share of the warm-up: V8 and malloc take minutes to settle when it is over. */
const RUSH_TIMES = 2;
const RUSH_SHARE = 0.75;
const REDIS = ["--maxmemory", "64mb", "--maxmemory-policy", "allkeys-lru", "--save", ""];
/** How calls may end; all else is a failure. A refusal is no failure, but counted. */
const FINE =
  /^((unary|(batch|stream)( text)?) OK|bad INVALID_ARGUMENT|left (OK|CANCELLED)|(batch|stream) text INVALID_ARGUMENT)$/;
const REFUSED = /RESOURCE_EXHAUSTED$/;

/** Of resident memory, in MB. */
const PARTS: Record<string, (sample: Sample) => number> = {
  "pages of V8 in the event loop's thread": ({ pagesMb }) => pagesMb,
  "pages of V8 in the other threads": ({ threadPagesMb }) => threadPagesMb,
  "pages of files that are mapped": ({ filesMb }) => filesMb,
  "all other memory": ({ rssMb, pagesMb, threadPagesMb, filesMb }) =>
    rssMb - pagesMb - threadPagesMb - filesMb,
};

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "60" },
    "warm-up": { type: "string" },
    rate: { type: "string", default: "75" },
    seed: { type: "string", default: "1" },
  },
});
const minutes = Number(values.minutes);
const warmUpMinutes = Number(values["warm-up"] ?? minutes / 2);
const say = (line: string) => process.stdout.write(`${line}\n`);

await using left = new AsyncDisposableStack();
const scratch = left.use(await scratchFolder());
const redis = left.use(await startRedis({ args: REDIS }));
const spans = left.use(await startSpanSink());
const keyFile = join(scratch.path, "keys.json");
// More than it can use: what is counted is what must not grow.
const key = await addNewKey(keyFile, "soak", ["analyze"], { tokensPerMinute: 1e9 });
const reports = join(scratch.path, "reports");
const server = left.use(
  await startServer({
    ...spans.env,
    ENABLE_CACHING: "true",
    RESULT_CACHE_SIZE: "2000",
    CACHE_TTL: "600",
    AGGRESSIVE_CACHING: "true",
    REDIS_URL: redis.url,
    API_KEYS_FILE: keyFile,
    TOKENIZERS_PARALLELISM: "true",
    CACHE_FILE: join(scratch.path, "answers"),
    NODE_OPTIONS: "--import=./dist/test/preload/self-report.js",
    SELF_REPORT: reports,
  }),
);

const load = spawn(process.execPath, ["dist/benchmarks/soak-load.js"], {
  env: {
    ...process.env,
    ADDRESS: server.address,
    KEY: key,
    RATE: values.rate,
    RUSH: String(RUSH_TIMES * Number(values.rate)),
    RUSH_MS: String(RUSH_SHARE * warmUpMinutes * MINUTE_MS),
    WARM_UP_MS: String(warmUpMinutes * MINUTE_MS),
    SEED: values.seed,
  },
  // It ends with its standard input, and so with this process.
  stdio: ["pipe", "pipe", "inherit"],
});
const summary = text(load.stdout);
const samples = await sampled();
load.stdin.end();
await once(load, "exit");
type Counts = Readonly<Record<string, number>>;
const { calls, counts, ofWarmUp } = JSON.parse(await summary) as {
  /** After the warm-up. */
  readonly calls: number;
  readonly counts: Counts;
  readonly ofWarmUp: Counts;
};

/** Asked for its metrics meanwhile, as Prometheus does. */
async function sampled(): Promise<readonly Sample[]> {
  const taken: Sample[] = [];
  const startedMs = performance.now();
  for (let minute = 0; minute < warmUpMinutes + minutes; ) {
    await sleep(SAMPLE_MS);
    if (load.exitCode !== null) throw new Error("the load has ended");
    minute = (performance.now() - startedMs) / MINUTE_MS;
    await (await fetch(`http://${server.opsAddress}/metrics`)).text();
    taken.push(await sampleOf(server.pid, reports, minute));
    tell(taken.at(-2), taken.at(-1));
  }
  return taken;
}

function tell(before: Sample | undefined, sample: Sample | undefined): void {
  if (sample === undefined || Math.floor(before?.minute ?? 0) === Math.floor(sample.minute)) return;
  const { minute, rssMb, heapMb, resources, openFiles, loopP99Ms } = sample;
  const parts = Object.values(PARTS).map((read) => read(sample).toFixed(1));
  say(
    `minute ${Math.floor(minute)}: ${rssMb.toFixed(0)} MB resident (${parts.join(", ")}), ${heapMb.toFixed(0)} MB of objects, ${resources} resources, ` +
      `${openFiles} open files, event loop ${loopP99Ms.toFixed(1)} ms late (p99)`,
  );
}

const steady = samples.filter(({ minute }) => minute >= warmUpMinutes);
const [first, last] = [steady[0], steady.at(-1)];
if (first === undefined || last === undefined || first === last)
  throw new Error("too short: MINUTES=0.2 at least");
const points = steady.map(({ minute, rssMb }) => ({ at: minute / 60, value: rssMb }));
const squares = leastSquares(points);
const robust = theilSen(points);

const sumOf = (some: Counts, is: (what: string) => boolean) =>
  Object.entries(some).reduce((sum, [what, count]) => sum + (is(what) ? count : 0), 0);
const isRefused = (what: string) => REFUSED.test(what);
const isFailed = (what: string) => !FINE.test(what) && !isRefused(what);
const refused = sumOf(counts, isRefused);
const failed = sumOf(counts, isFailed) + sumOf(ofWarmUp, isFailed);

const measured: Measured[] = [];
const told = (what: string, unit: string, value: number, digits = 0) => {
  say(`${what}: ${value.toFixed(digits)} ${unit}`);
  measured.push({ what, unit, rounds: [value] });
};
const ofSteady = (read: (sample: Sample) => number, share: number) =>
  quantile(steady.map(read), share);
say("");
for (const [what, count] of Object.entries(counts).toSorted()) say(`${what}: ${count}`);
told("calls", "calls", calls);
told("refused", "calls and texts", refused);
told("failed, those of the warm-up too", "calls and texts", failed);
told("refused in the warm-up", "calls and texts", sumOf(ofWarmUp, isRefused));
told("warm-up", "minutes", first.minute, 1);
told("after it", "minutes", last.minute - first.minute, 1);
told("resident memory, after the warm-up", "MB", first.rssMb);
told("resident memory, at the end", "MB", last.rssMb);
told("resident memory, slope by least squares", "MB/h", squares.slope, 1);
told("resident memory, slope by Theil and Sen", "MB/h", robust.slope, 1);
const slopeOf = (read: (sample: Sample) => number) =>
  theilSen(steady.map((sample) => ({ at: sample.minute / 60, value: read(sample) }))).slope;
const objects = slopeOf(({ heapMb }) => heapMb);
told("objects of V8, slope by Theil and Sen", "MB/h", objects, 1);
// What they add up to is the slope of all, nearly: a median of slopes is no sum.
for (const [what, read] of Object.entries(PARTS))
  told(`${what}, slope by Theil and Sen`, "MB/h", slopeOf(read), 1);
told(
  "event loop late, p99 of a second, median",
  "ms",
  ofSteady(({ loopP99Ms }) => loopP99Ms, 0.5),
  1,
);
const cpu = (last.cpuSeconds - first.cpuSeconds) / ((last.minute - first.minute) * 60);
told("CPU", "cores", cpu, 2);

const every = Math.ceil(samples.length / KEPT_SAMPLES);
const kept = samples.filter((_, place) => place % every === 0);
const valuesOf = (read: (sample: Sample) => number) =>
  kept.map((sample) => Number(read(sample).toPrecision(5)));
const series: Series = {
  minutes: valuesOf(({ minute }) => minute),
  values: {
    "resident memory, MB": valuesOf(({ rssMb }) => rssMb),
    "objects of V8, MB": valuesOf(({ heapMb }) => heapMb),
    ...Object.fromEntries(
      Object.entries(PARTS).map(([what, read]) => [`${what}, MB`, valuesOf(read)]),
    ),
    "outside its heap, MB": valuesOf(({ externalMb }) => externalMb),
    "resources (timers, sockets)": valuesOf(({ resources }) => resources),
    "open files": valuesOf(({ openFiles }) => openFiles),
    threads: valuesOf(({ threads }) => threads),
    "event loop late, p99 of a second, ms": valuesOf(({ loopP99Ms }) => loopP99Ms),
  },
  lines: {
    "resident memory, MB": [
      [first.minute, robust.value + (robust.slope * first.minute) / 60],
      [last.minute, robust.value + (robust.slope * last.minute) / 60],
    ],
  },
};
const line = await record("soak", measured, {
  series,
  rate: Number(values.rate),
  counts,
  ofWarmUp,
});
await writeFile("benchmarks/results/soak.svg", timeChart(headOf("soak", line), series));
say("benchmarks/results/soak.svg");
const isGrowing = minutes >= JUDGED_MINUTES && robust.slope > MOST_SLOPE;
if (isGrowing) say(`memory grows by over ${MOST_SLOPE} MB an hour`);
if (failed > 0 || refused > MOST_REFUSED * calls || isGrowing) process.exitCode = 1;
