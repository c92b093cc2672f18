import type { BackendStatus } from "../backend/backend.js";

interface ModelStatus {
  readonly model: string;
  readonly tier: string;
  readonly version: string;
  /** First 12 hex digits of the model file's sha-256. */
  readonly digest: string;
  readonly loaded: boolean;
}

interface CacheStatus {
  /** Answers in memory by text, and by what the model reads of one. */
  readonly texts: number;
  readonly readings: number;
  /** Its URL less its credentials; not there: only memory is used. */
  readonly redis?: { readonly url: string; readonly state: "up" | "down" | "connecting" };
}

/** What a process is doing now; goes from process to process. Never a text. */
export interface ProcessStatus {
  /** ISO time. */
  readonly started: string;
  /** Why no calls should come; empty: they should. */
  readonly reasons: readonly string[];
  readonly draining: boolean;
  /** Candidates among them. */
  readonly models: readonly ModelStatus[];
  /** Of all models, what waits for a place in a batch. */
  readonly queued: { readonly rows: number; readonly tokens: number };
  readonly backends: readonly BackendStatus[];
  /** null: none is kept. */
  readonly cache: CacheStatus | null;
  /** Of the process; null: it has no limit. */
  readonly memory: { readonly bytes: number; readonly limitBytes: number | null };
}

/** A process by its number, from 1; or why it does not tell. */
export type ProcessEntry = { readonly process: number } & (
  | ProcessStatus
  | { readonly fault: string }
);

/** What stays as it is while the server runs. */
export interface AboutServer {
  readonly version: string;
  /** ISO time. */
  readonly started: string;
  /** By their names, without secrets; null: unset. */
  readonly settings: Readonly<Record<string, string | null>>;
}

/** What /status tells. */
export interface ServerStatus extends AboutServer {
  readonly processes: readonly ProcessEntry[];
}

/** What the status is read from. */
export interface StatusReadings {
  readonly reasons: () => readonly string[];
  readonly draining: () => boolean;
  readonly versions: () => Iterable<{
    readonly model: { readonly tier: string; readonly name: string; readonly version: string };
    readonly id: { readonly digest: string };
    readonly isLoaded: boolean;
    readonly queued: { readonly size: number; readonly tokens: number };
  }>;
  readonly backends: () => readonly BackendStatus[];
  readonly cache: () => CacheStatus | undefined;
  readonly memoryBytes: () => number;
  readonly memoryLimitBytes: number | undefined;
}

const DIGEST_DIGITS = 12;

export function statusOf(readings: StatusReadings, started: string): ProcessStatus {
  const versions = [...readings.versions()];
  const sum = (which: "size" | "tokens") =>
    versions.reduce((total, { queued }) => total + queued[which], 0);
  return {
    started,
    reasons: readings.reasons(),
    draining: readings.draining(),
    models: versions.map(({ model: { name, tier, version }, id, isLoaded }) => ({
      model: name,
      tier,
      version,
      digest: id.digest.slice(0, DIGEST_DIGITS),
      loaded: isLoaded,
    })),
    queued: { rows: sum("size"), tokens: sum("tokens") },
    backends: readings.backends(),
    cache: readings.cache() ?? null,
    memory: { bytes: readings.memoryBytes(), limitBytes: readings.memoryLimitBytes ?? null },
  };
}
