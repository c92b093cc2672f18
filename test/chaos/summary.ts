import { quantile } from "../support/steady-load.js";
import type { Outcome } from "./check.js";

/** A call, or a text of a stream, when it is over. */
export interface Called {
  /** Since the load began. */
  readonly sentMs: number;
  readonly tookMs: number;
  readonly outcome: Outcome;
  /** Tries after the first. */
  readonly retries: number;
  /** Of what went wrong. */
  readonly detail: string;
}

/** While something was down, from the strike until it could be used again. */
export interface Struck {
  readonly name: string;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Summary {
  readonly outcomes: Readonly<Record<Outcome, number>>;
  readonly retries: number;
  /** In milliseconds: of calls that no fault fell into, and of the others. */
  readonly quiet: Times;
  readonly faulty: Times;
  /** How often each fault happened. */
  readonly faults: Readonly<Record<string, number>>;
  /** The first of each kind of failure, and how many there were. */
  readonly details: Readonly<Record<string, number>>;
}

interface Times {
  readonly calls: number;
  readonly p50: number;
  readonly p99: number;
  readonly most: number;
}

export function summaryOf(calls: readonly Called[], struck: readonly Struck[]): Summary {
  const isFaulty = ({ sentMs, tookMs }: Called) =>
    struck.some(({ fromMs, toMs }) => sentMs <= toMs && sentMs + tookMs >= fromMs);
  const outcomes = { right: 0, wrong: 0, refused: 0, failed: 0 };
  for (const { outcome } of calls) outcomes[outcome]++;
  return {
    outcomes,
    retries: calls.reduce((sum, { retries }) => sum + retries, 0),
    quiet: timesOf(calls.filter((call) => !isFaulty(call))),
    faulty: timesOf(calls.filter(isFaulty)),
    faults: counted(struck.map(({ name }) => name)),
    details: counted(calls.map(({ detail }) => detail).filter(Boolean)),
  };
}

function timesOf(calls: readonly Called[]): Times {
  const took = calls.map(({ tookMs }) => tookMs);
  const [p50 = 0, p99 = 0, most = 0] = [0.5, 0.99, 1].map((share) => quantile(took, share));
  return { calls: calls.length, p50, p99, most };
}

function counted(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names.toSorted()) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
