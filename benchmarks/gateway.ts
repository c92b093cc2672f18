/**
 * What the REST bridge costs. Overhead: a client alone asks for one text, which is answered from memory, by gRPC and by REST call by call in turns. Throughput:
 * batches of 32 distinct texts, eight at once, fast tier, nothing cached, through the bridge and straight to the server, 50 batches by each in turns. Both clients are as lean as
 * Node allows (benchmarks/peers): node:http would take several times their CPU time, and all share the machine.
 *
 *   make bench-gateway
 */
import { parseArgs } from "node:util";
import { startBridge } from "../test/support/bridge-process.js";
import { quantile } from "../test/support/steady-load.js";
import { cpuSeconds } from "./cpu-time.js";
import { byGrpc, byRest, type Way } from "./gateway/ways.js";
import { Report } from "./report.js";
import { differencesOf, ratiosOf } from "./results.js";
import { inParallel, startServer } from "./server.js";
import { lognormalTexts } from "./texts.js";

const CALLS = 2000;
const BATCH = 32;
const AT_ONCE = 8;
const TEXTS = 400 * BATCH;
/** Batches that one way is asked before it is the other's turn. */
const SLICE = 50;
const { values } = parseArgs({ options: { rounds: { type: "string", default: "5" } } });
const rounds = Number(values.rounds);
const texts = await lognormalTexts(TEXTS, "triton-model-repo/sentiment_fast/tokenizer.json");
const batches = Array.from({ length: TEXTS / BATCH }, (_, place) =>
  texts.slice(place * BATCH, (place + 1) * BATCH),
);
const report = new Report();

/** Both ways to a server with these settings. */
async function started(stack: AsyncDisposableStack, env: Readonly<Record<string, string>>) {
  const server = stack.use(await startServer({ PREFETCH_MODELS: "false", ...env }));
  const bridge = stack.use(await startBridge(server.address));
  return [
    { way: stack.use(byGrpc(server.address)), pids: [server.pid] },
    { way: stack.use(byRest(bridge.port)), pids: [server.pid, bridge.pid] },
  ] as const;
}

/** Milliseconds that each way took, in the order of the ways: call by call in turns. */
async function callsInTurns(ways: readonly Way[], text: string): Promise<readonly number[][]> {
  const tookMs: number[][] = ways.map(() => []);
  for (let call = 0; call < CALLS; call++)
    for (const [place, way] of ways.entries()) {
      const startedMs = performance.now();
      await way.analyzeCached(text);
      tookMs[place]?.push(performance.now() - startedMs);
    }
  return tookMs;
}

async function overhead(): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const [grpc, rest] = await started(stack, { ENABLE_CACHING: "true", WARM_UP_FILE: "/dev/null" });
  const text = texts[0] ?? "";
  await grpc.way.analyzeBatch([text]);
  const taken: (readonly number[][])[] = [];
  for (let round = -1; round < rounds; round++) {
    const tookMs = await callsInTurns([grpc.way, rest.way], text);
    if (round >= 0) taken.push(tookMs);
  }
  for (const [name, share] of Object.entries({ p50: 0.5, p99: 0.99 })) {
    const byGrpc = taken.map(([took = []]) => quantile(took, share));
    const byRest = taken.map(([, took = []]) => quantile(took, share));
    const more = differencesOf(byRest, byGrpc);
    report.tell(`cached Analyze, one client, gRPC, ${name}`, "ms", byGrpc, 3);
    report.tell(`cached Analyze, one client, REST, ${name}`, "ms", byRest, 3);
    report.tell(`cached Analyze, one client, REST's ${name} over gRPC's`, "ms", more, 3);
  }
}

type Started = Awaited<ReturnType<typeof started>>[number];

/** What one way took of a round. */
interface Taken {
  seconds: number;
  /** CPU seconds of the server, and the bridge where it is asked. */
  servedSeconds: number;
  clientSeconds: number;
}

async function take({ way, pids }: Started, some: readonly (readonly string[])[], taken: Taken) {
  const spent = async () =>
    (await Promise.all(pids.map(cpuSeconds))).reduce((sum, one) => sum + one);
  const before = await spent();
  const own = process.cpuUsage();
  const startedMs = performance.now();
  await inParallel(AT_ONCE, some, (batch) => way.analyzeBatch(batch));
  taken.seconds += (performance.now() - startedMs) / 1000;
  const { user, system } = process.cpuUsage(own);
  taken.clientSeconds += (user + system) / 1e6;
  taken.servedSeconds += (await spent()) - before;
}

/** A round of all texts, a slice of them by each way in turns: what else the machine does is shared by both. */
async function slicesInTurns(ways: readonly Started[]): Promise<readonly Taken[]> {
  const taken = ways.map(() => ({ seconds: 0, servedSeconds: 0, clientSeconds: 0 }));
  for (let first = 0; first < batches.length; first += SLICE)
    for (const [place, one] of ways.entries())
      await take(one, batches.slice(first, first + SLICE), taken[place] as Taken);
  return taken;
}

async function throughput(): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const ways = await started(stack, {});
  const taken: (readonly Taken[])[] = [];
  for (let round = -1; round < rounds; round++) {
    const both = await slicesInTurns(ways);
    if (round >= 0) taken.push(both);
  }
  const of = (place: number, number: (one: Taken) => number) =>
    taken.map((both) => number(both[place] as Taken));
  const perSecond = ({ seconds }: Taken) => TEXTS / seconds;
  const served = ({ servedSeconds }: Taken) => (servedSeconds / TEXTS) * 1e6;
  const client = ({ clientSeconds }: Taken) => (clientSeconds / TEXTS) * 1e6;
  for (const [place, name] of ["gRPC", "REST"].entries()) {
    report.tell(`batches of ${BATCH}, ${name}`, "texts/s", of(place, perSecond), 0);
    report.tell(
      `batches of ${BATCH}, ${name}: CPU of server and bridge a text`,
      "us",
      of(place, served),
      0,
    );
    report.tell(
      `batches of ${BATCH}, ${name}: CPU of the client a text`,
      "us",
      of(place, client),
      1,
    );
  }
  const ratio = ratiosOf(of(1, perSecond), of(0, perSecond));
  report.tell(`batches of ${BATCH}, REST to gRPC`, "ratio", ratio, 3);
  const byCpu = ratiosOf(of(0, served), of(1, served));
  report.tell(`batches of ${BATCH}, REST to gRPC, by CPU time`, "ratio", byCpu, 3);
}

await overhead();
await throughput();
await report.record("gateway");
