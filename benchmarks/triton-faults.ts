/**
 * What callers notice while a real Triton is killed, restarted and frozen under a steady load: 200 calls a second for 30 s, fast tier, each answer
 * compared with the truth (the embedded backend's).
 *
 *   make bench-triton-faults
 */
import { setTimeout as sleep } from "node:timers/promises";
import { Tier } from "../server/gen/sentiment/v1/sentiment.js";
import { repositoryCopy } from "../test/support/repository-copy.js";
import { sentences } from "../test/support/sentences.js";
import { type LoadedCall, steadyLoad, wrongOf } from "../test/support/steady-load.js";
import { startTriton, type TritonServer } from "../test/support/triton-server.js";
import { summary, truthOf } from "./faults.js";
import { Report } from "./report.js";
import { type BenchedServer, startServer } from "./server.js";

const SECONDS = 30;
const CALLS_PER_SECOND = 200;
const FAULT_MS = 10_000;
const FROZEN_MS = 5000;
const TEXTS = sentences(400);
const report = new Report();

await using models = await repositoryCopy("fast");
const start = (backend: string, url: string) =>
  startServer({
    BACKEND: backend,
    TRITON_URL: url,
    MODEL_REPOSITORY: models.folder,
    DEFAULT_TIER: "fast",
  });
const load = ({ client }: BenchedServer) =>
  steadyLoad({
    client,
    tier: Tier.TIER_FAST,
    texts: TEXTS,
    callsPerSecond: CALLS_PER_SECOND,
    seconds: SECONDS,
  });
const truth = await (async () => {
  await using embedded = await start("embedded", "");
  return await truthOf(embedded.client, Tier.TIER_FAST, TEXTS);
})();

/** What the calls were like. `backMs`: when Triton could answer again, since the load began. */
function tell(name: string, calls: readonly LoadedCall[], backMs: number): void {
  const others = calls.filter(({ modelVersion }) => !modelVersion.includes("+triton."));
  const lastMs = Math.max(...others.map(({ sentMs }) => sentMs));
  const back =
    others.length === 0
      ? "all by Triton"
      : `all by Triton again ${((lastMs - backMs) / 1000).toFixed(1)} s after it was back`;
  process.stdout.write(`${name}: ${summary(calls, truth)}; ${back}\n`);
  report.tell(`${name}: wrong`, "calls", [wrongOf(calls, truth).length], 0, { atMost: 0 });
  const failures = calls.flatMap(({ failure }) => failure ?? []);
  const untold = failures.filter(({ retryAfterSeconds }) => retryAfterSeconds === undefined);
  const helped = name.includes("embedded") ? { atMost: 0 } : undefined;
  report.tell(`${name}: failed`, "calls", [failures.length], 0, helped);
  report.tell(`${name}: failed without RetryInfo`, "calls", [untold.length], 0, { atMost: 0 });
}

async function underLoad(
  name: string,
  backend: string,
  fault: (triton: TritonServer) => Promise<TritonServer>,
): Promise<void> {
  let triton = await startTriton({ repository: models.folder });
  try {
    await using front = await start(backend, triton.url);
    const startedMs = performance.now();
    const loaded = load(front);
    await sleep(FAULT_MS);
    triton = await fault(triton);
    const backMs = performance.now() - startedMs;
    tell(`${name}, BACKEND=${backend}`, await loaded, backMs);
  } finally {
    await triton.kill();
  }
}

const killAndRestart = async (triton: TritonServer) => {
  await triton.kill();
  return startTriton({ repository: models.folder, ports: triton.ports });
};
const freezeAndThaw = async (triton: TritonServer) => {
  triton.freeze();
  await sleep(FROZEN_MS);
  triton.thaw();
  return triton;
};
for (const backend of ["triton,embedded", "triton"]) {
  await underLoad("no fault", backend, async (triton) => triton);
  await underLoad("killed and restarted", backend, killAndRestart);
  await underLoad(`frozen for ${FROZEN_MS / 1000} s`, backend, freezeAndThaw);
}
await report.record("triton-faults");
