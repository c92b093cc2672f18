import type { Spent } from "../core/shared-quota.js";
import type { MetricsSnapshot } from "../observe/merged-metrics.js";
import type { ProcessStatus } from "../observe/status.js";
import type { AdminCall, AdminOutcome, PeerOutcome } from "../rpc/across-processes.js";
import type { Link } from "./link.js";

/** What a process answers to the primary. */
export type ProcessCalls = {
  readonly metrics: (nothing: undefined) => Promise<MetricsSnapshot>;
  /** Why no calls should come to it; empty: they should. */
  readonly reasons: (nothing: undefined) => readonly string[] | Promise<readonly string[]>;
  readonly status: (nothing: undefined) => ProcessStatus;
  /** Does what an admin has asked of another process. */
  readonly admin: (call: AdminCall, signal: AbortSignal) => Promise<AdminOutcome>;
  /** Finishes what is under way, and ends. */
  readonly drain: (nothing: undefined) => void;
};

/** What the primary answers to each process. */
export type PrimaryCalls = {
  /** Which of the processes it is, counted from 1, the port that all of them serve, and what they share. */
  readonly begin: (nothing: undefined) => Place;
  readonly serving: (nothing: undefined) => void;
  /** It cannot start, for that reason. */
  readonly failed: (message: string) => void;
  /** Has all the others do it. */
  readonly others: (call: AdminCall, signal: AbortSignal) => Promise<readonly PeerOutcome[]>;
  /** Adds up what all of them spend of quotas (see SharedQuota). */
  readonly quota: (spent: readonly Spent[]) => Promise<readonly (number | undefined)[]>;
};

export interface Place {
  readonly number: number;
  readonly grpcPort: number;
  /** A folder by which processes that start share the weights of models; undefined: they do not. */
  readonly weights: string | undefined;
}

/** The primary's end. */
export type LinkToProcess = Link<PrimaryCalls, ProcessCalls>;
