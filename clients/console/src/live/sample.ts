import type { LiveCounts } from "../api/messages.ts";
import type { Answered } from "../api/traffic.ts";
import { exactQuantile, histogramQuantile } from "./quantile.ts";

/** What was done between two looks; undefined: nothing that it could be told from. */
export interface Sample {
  /** A second. */
  readonly texts: number;
  readonly p50Ms: number | undefined;
  readonly p95Ms: number | undefined;
  /** 0 to 1. */
  readonly hitRate: number | undefined;
  /** Rows of a batch, on average. */
  readonly batchRows: number | undefined;
  /** Rows that wait now. */
  readonly waiting: number | undefined;
}

/** Of this page's own calls. `seconds`: since the look before. */
export function ownSample(answers: readonly Answered[], seconds: number): Sample {
  const tookMs = answers.map((answer) => answer.tookMs);
  const sum = (of: (answer: Answered) => number) =>
    answers.reduce((total, answer) => total + of(answer), 0);
  const texts = sum((answer) => answer.texts);
  const batches = answers.filter(({ batchRows }) => batchRows > 0).length;
  return {
    texts: texts / seconds,
    p50Ms: exactQuantile(tookMs, 0.5),
    p95Ms: exactQuantile(tookMs, 0.95),
    hitRate: ratio(
      sum((answer) => answer.hits),
      texts,
    ),
    batchRows: ratio(
      sum((answer) => answer.batchRows),
      batches,
    ),
    waiting: undefined,
  };
}

/** Of the server between two looks; undefined where it has begun anew in between. */
export function serverSample(before: LiveCounts, now: LiveCounts): Sample | undefined {
  const seconds = (now.atMs - before.atMs) / 1000;
  const texts = now.answered - before.answered;
  if (seconds <= 0 || texts < 0) return undefined;
  const counts = now.latency.counts.map((sum, at) => sum - (before.latency.counts[at] ?? 0));
  const calls = now.latency.count - before.latency.count;
  const quantileMs = (share: number) => {
    const quantile = histogramQuantile(now.latency.leSeconds, counts, calls, share);
    return quantile === undefined ? undefined : quantile * 1000;
  };
  return {
    texts: texts / seconds,
    p50Ms: quantileMs(0.5),
    p95Ms: quantileMs(0.95),
    hitRate: ratio(now.hits - before.hits, now.lookups - before.lookups),
    batchRows: ratio(now.rows - before.rows, now.batches - before.batches),
    waiting: now.waiting,
  };
}

const ratio = (part: number, whole: number): number | undefined =>
  whole > 0 ? part / whole : undefined;
