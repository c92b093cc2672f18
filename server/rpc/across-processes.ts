import { eitherOf } from "../core/abort.js";
import { type Reason, ServiceError } from "../core/errors.js";
import { resultOf } from "../core/settled.js";
import {
  CacheTier,
  type ClearCacheRequest,
  type ClearCacheResponse,
  type GetStatusRequest,
  type GetStatusResponse,
  type LoadModelRequest,
  type LoadModelResponse,
  type UnloadModelRequest,
  type UnloadModelResponse,
  type WarmCacheRequest,
  type WarmCacheResponse,
} from "../gen/sentiment/v1/sentiment.js";
import { countsOfStatus, mergedStatus } from "./get-status.js";

/** What may be over by the next try. */
const PASSES: ReadonlySet<Reason> = new Set(["PROCESS_DOWN", "BACKEND_DOWN", "OVERLOADED"]);

/** What AdminService does in one process; what a profile records is the business of the process that takes the call. */
export interface LocalAdmin {
  warmCache(request: WarmCacheRequest, signal: AbortSignal): Promise<WarmCacheResponse>;
  clearCache(request: ClearCacheRequest, signal: AbortSignal): Promise<ClearCacheResponse>;
  loadModel(request: LoadModelRequest, signal: AbortSignal): Promise<LoadModelResponse>;
  unloadModel(request: UnloadModelRequest, signal: AbortSignal): Promise<UnloadModelResponse>;
  getStatus(request: GetStatusRequest, signal: AbortSignal): Promise<GetStatusResponse>;
}

/** One call of it, as it goes from process to process. */
export type AdminCall = {
  [Name in keyof LocalAdmin]: {
    readonly name: Name;
    readonly request: Parameters<LocalAdmin[Name]>[0];
  };
}[keyof LocalAdmin];

/** What a process has counted: of WarmCache `warmed`, `present`, `failed`; of ClearCache `cleared`; of GetStatus see `countsOfStatus`. */
export type AdminOutcome = Readonly<Record<string, number>>;

/** What came of a call in another process, by its number; `fault`: it could not do it. */
export type PeerOutcome = { readonly number: number } & (
  | { readonly counts: AdminOutcome }
  | { readonly fault: Pick<ServiceError, "reason" | "message"> }
);

/** The other processes behind the same port. */
export interface Peers {
  /** What they ask of this one is answered by `admin`. */
  answerBy(admin: LocalAdmin): void;
  /** Has all of them do it; an outcome each, in time. Rejects only when they cannot be asked at all. */
  ask(call: AdminCall, signal: AbortSignal): Promise<readonly PeerOutcome[]>;
}

/** Does here what another process was asked for. */
export async function answerCall(
  admin: LocalAdmin,
  call: AdminCall,
  signal: AbortSignal,
): Promise<AdminOutcome> {
  switch (call.name) {
    case "warmCache":
      return { ...(await admin.warmCache(call.request, signal)) };
    case "clearCache":
      return { ...(await admin.clearCache(call.request, signal)) };
    case "loadModel":
      await admin.loadModel(call.request, signal);
      return {};
    case "unloadModel":
      await admin.unloadModel(call.request, signal);
      return {};
    case "getStatus":
      return countsOfStatus(await admin.getStatus(call.request, signal));
  }
}

/**
 * AdminService in all processes. What one of them cannot do fails the call, and its message tells how many have done it: asking again
 * does no harm.
 */
export function acrossProcesses(local: LocalAdmin, peers: Peers): LocalAdmin {
  const others = async (call: AdminCall, signal: AbortSignal) =>
    countsOf(await peers.ask(call, signal));
  return {
    /** At the same time, so that all have what time there is. */
    async warmCache(request, signal) {
      const leaving = new AbortController();
      using either = eitherOf(signal, leaving.signal);
      const elsewhere = others({ name: "warmCache", request }, either.signal);
      // Looked at below, unless it cannot be done here.
      elsewhere.catch(() => {});
      const here = await local.warmCache(request, signal).catch((error: unknown) => {
        leaving.abort();
        throw error;
      });
      const all = [{ ...here }, ...(await elsewhere)];
      const sum = (name: keyof WarmCacheResponse) => sumOf(all, name);
      return { warmed: sum("warmed"), present: sum("present"), failed: sum("failed") };
    },

    /** First Redis, which they share, and what is in memory here: no other process can find there what it has just forgotten. What is in memory goes also where Redis is down. */
    async clearCache(request, signal) {
      const [here] = await Promise.allSettled([local.clearCache(request, signal)]);
      if (here.status === "rejected" && !isCacheDown(here.reason)) throw here.reason;
      if (request.cache === CacheTier.CACHE_TIER_REDIS) return resultOf(here);
      const inMemory = { ...request, cache: CacheTier.CACHE_TIER_MEMORY };
      const elsewhere = await others({ name: "clearCache", request: inMemory }, signal);
      return { cleared: sumOf([{ ...resultOf(here) }, ...elsewhere], "cleared") };
    },

    /** First here: a model that cannot be used is served by none of them. */
    async loadModel(request, signal) {
      const here = await local.loadModel(request, signal);
      await others({ name: "loadModel", request }, signal);
      return here;
    },

    async unloadModel(request, signal) {
      const here = await local.unloadModel(request, signal);
      await others({ name: "unloadModel", request }, signal);
      return here;
    },

    /** Of those that tell: one that is being replaced, or is gone already in a drain, is told of by models that are not ready. */
    async getStatus(request, signal) {
      const here = await local.getStatus(request, signal);
      const outcomes = await peers.ask({ name: "getStatus", request }, signal);
      return mergedStatus(
        here,
        outcomes.map((one) => ("counts" in one ? one.counts : undefined)),
      );
    },
  };
}

const isCacheDown = (error: unknown) =>
  error instanceof ServiceError && error.reason === "CACHE_DOWN";

const sumOf = (all: readonly AdminOutcome[], name: string): number =>
  all.reduce((sum, counts) => sum + (counts[name] ?? 0), 0);

/** Throws the first fault, and the words of all. */
function countsOf(outcomes: readonly PeerOutcome[]): readonly AdminOutcome[] {
  const done = outcomes.flatMap((one) => ("counts" in one ? [one.counts] : []));
  const faults = outcomes.flatMap((one) => ("fault" in one ? [one] : []));
  const [first] = faults;
  if (first === undefined) return done;
  const told = faults.map(({ number, fault }) => `Process ${number}: ${fault.message}`).join(" ");
  throw new ServiceError(
    first.fault.reason,
    `Done by ${done.length + 1} of ${outcomes.length + 1} processes. ${told}`,
    PASSES.has(first.fault.reason) ? { retryAfterMs: 1000 } : {},
  );
}
