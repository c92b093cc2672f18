import type { Costs } from "./costs.js";
import { type Load, PlanError } from "./load.js";
import { type Station, utilizationOf, waitQuantileMs } from "./queue.js";
import { type Traffic, trafficOf } from "./traffic.js";
import { type Piece, type Work, workOf } from "./work.js";

/** No search goes beyond. */
const MOST_SERVERS = 1_000_000;
/** A server's event loop is one thread, however many cores there are. */
const MOST_OF_LOOP = 0.6;
/** Z of the 95th percentile: a call of many texts is about normal. */
const Z95 = 1.645;

/** Servers of one kind, and what is expected of them. */
interface Sized {
  readonly servers: number;
  /** Share of their cores that is busy. */
  readonly utilization: number;
  readonly cpuCores: number;
  readonly p95Ms: number;
}

export interface Plan {
  readonly hitRate: number;
  readonly inferredPerSecond: number;
  readonly replicas: number;
  readonly cores: number;
  /** CPU that all of it uses, in cores. */
  readonly cpuCores: number;
  readonly utilization: number;
  readonly p95Ms: number;
  /** With BACKEND=triton: servers, and single-threaded instances of each model that all of them have. */
  readonly triton: { readonly servers: number; readonly instances: number } | undefined;
  readonly redis: { readonly entries: number; readonly bytes: number };
}

/** Throws PlanError where no number of servers would do. */
export function planOf(load: Load, costs: Costs): Plan {
  const traffic = trafficOf(load, costs);
  const sized = load.BACKEND === "triton" ? withTriton : embedded;
  return {
    hitRate: traffic.hitRate,
    inferredPerSecond: load.RATE * (1 - traffic.hitRate),
    ...sized(load, traffic, costs),
    redis: {
      entries: traffic.redisEntries,
      bytes: traffic.redisEntries * costs.redisEntry.value,
    },
  };
}

/** What that many servers would do; for checks against measurement. */
export function expectedOf(load: Load, costs: Costs, servers: number): Sized {
  const traffic = trafficOf(load, costs);
  return at(servers, stageOf(load, traffic.all, traffic.inferred, costs.alone.value));
}

function embedded(load: Load, traffic: Traffic, costs: Costs) {
  const stage = stageOf(load, traffic.all, traffic.inferred, costs.alone.value);
  const { servers, ...rest } = fewest(stage, load.P95, frontsOf(load, traffic));
  return { replicas: servers, cores: servers * load.CORES, ...rest, triton: undefined };
}

function withTriton(load: Load, traffic: Traffic, costs: Costs) {
  const front = stageOf(load, traffic.front, traffic.front, costs.alone.value);
  const fronts = fewest(front, Number.POSITIVE_INFINITY, frontsOf(load, traffic));
  const model = stageOf(load, traffic.model, traffic.model, fronts.p95Ms);
  const behind = fewest(model, load.P95, 1);
  const cores = (fronts.servers + behind.servers) * load.CORES;
  const cpuCores = fronts.cpuCores + behind.cpuCores;
  return {
    replicas: fronts.servers,
    cores,
    cpuCores,
    utilization: cpuCores / cores,
    p95Ms: behind.p95Ms,
    triton: { servers: behind.servers, instances: behind.servers * load.CORES },
  };
}

/** At least so many processes, for the event loop's sake. */
const frontsOf = ({ RATE }: Load, { front }: Traffic): number =>
  Math.max(1, Math.ceil((RATE * workOf(front).meanMs) / 1000 / MOST_OF_LOOP));

/** What servers of one kind are to do. */
interface Stage {
  readonly load: Load;
  readonly callsPerSecond: number;
  readonly textsPerCall: number;
  /** Of all texts that come to them, cached or not. */
  readonly work: Work;
  /** Of a call alone, its p95, `besidesMs` included. */
  readonly aloneMs: number;
}

function stageOf(
  load: Load,
  all: readonly Piece[],
  asked: readonly Piece[],
  besidesMs: number,
): Stage {
  const textsPerCall = load.CALLS === "batch" ? load.BATCH : 1;
  const share = all.reduce((sum, piece) => sum + piece.share, 0);
  const work = workOf(all);
  // A single call is judged by those that the model is run for; where all are cached, by the cached ones.
  const judged = asked.some((piece) => piece.share > 0) ? workOf(asked) : work;
  const { parallel } = sharedOut(load.CORES, textsPerCall);
  const manyMs =
    (textsPerCall * work.meanMs + Z95 * Math.sqrt(textsPerCall * work.variance)) / parallel;
  return {
    load,
    // Of a call's texts only those that come here count.
    callsPerSecond: (load.RATE * share) / textsPerCall,
    textsPerCall,
    work,
    aloneMs: besidesMs + Math.max(judged.p95Ms, textsPerCall === 1 ? 0 : manyMs),
  };
}

/** A call of many texts is shared out over the cores: fewer servers in the queue's sense, each as fast as several cores. */
function sharedOut(cores: number, textsPerCall: number) {
  const atOnce = Math.max(1, Math.floor(cores / textsPerCall));
  return { atOnce, parallel: cores / atOnce };
}

function at(servers: number, { load, callsPerSecond, textsPerCall, work, aloneMs }: Stage): Sized {
  const { atOnce, parallel } = sharedOut(load.CORES, textsPerCall);
  const mean = textsPerCall * work.meanMs;
  const station: Station = {
    servers: atOnce,
    callsPerSecond: callsPerSecond / servers,
    serviceMs: mean / parallel,
    variation: mean === 0 ? 0 : (textsPerCall * work.variance) / mean ** 2,
  };
  return {
    servers,
    utilization: utilizationOf(station),
    cpuCores: (callsPerSecond * mean) / 1000,
    p95Ms: aloneMs + waitQuantileMs(station, 0.95),
  };
}

const ms = (value: number) => `${Number(value.toPrecision(2))} ms`;

/** Throws where a call alone takes too long already: no number of servers makes it quicker. */
function checkAlone({ aloneMs, textsPerCall }: Stage, p95Ms: number): void {
  if (aloneMs <= p95Ms) return;
  const single = textsPerCall === 1;
  const what = single ? "one text" : `one call of ${textsPerCall} texts`;
  const more = single ? "" : ", fewer texts a call or more CORES";
  throw new PlanError(
    `P95: ${ms(p95Ms)} cannot be met: ${what} alone takes ${ms(aloneMs)}. Ask for more, or take a faster tier, shorter texts${more}.`,
  );
}

/** By doubling, then halving: some forty looks at most. */
function fewest(stage: Stage, p95Ms: number, atLeast: number): Sized {
  checkAlone(stage, p95Ms);
  const { load } = stage;
  const does = (servers: number) => {
    const sized = at(servers, stage);
    return sized.utilization <= load.UTILIZATION && sized.p95Ms <= p95Ms;
  };
  let [low, high] = [atLeast - 1, atLeast];
  while (high <= MOST_SERVERS && !does(high)) [low, high] = [high, high * 2];
  if (high > MOST_SERVERS)
    throw new PlanError(
      `RATE: ${load.RATE} texts a second would take over ${MOST_SERVERS} servers of ${load.CORES} cores: ask for less, or for larger servers.`,
    );
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (does(middle)) high = middle;
    else low = middle;
  }
  return at(high, stage);
}
