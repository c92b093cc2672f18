import type { GetStatusResponse, Model } from "../gen/sentiment/v1/sentiment.js";

/** What GetStatus tells of this process, apart from its models. */
export interface ProcessReadings {
  /** ISO time. */
  readonly started: string;
  /** Of all models, what waits for a place in a batch. */
  readonly queued: { readonly rows: number; readonly tokens: number };
  /** Answers in memory, by text; null: none is kept. */
  readonly cache: { readonly texts: number } | null;
  readonly memory: { readonly bytes: number };
  readonly draining: boolean;
}

export const statusMessage = (
  version: string,
  { started, queued, cache, memory, draining }: ProcessReadings,
  models: readonly Model[],
): GetStatusResponse => ({
  version,
  started: new Date(started),
  models: [...models],
  queuedTexts: queued.rows,
  queuedTokens: queued.tokens,
  cacheEntries: cache?.texts ?? 0,
  memoryBytes: memory.bytes,
  draining,
});

type Counts = Readonly<Record<string, number>>;
const readyOf = ({ name }: Model) => `ready ${name}`;

/** As it goes to another process. */
export const countsOfStatus = (status: GetStatusResponse): Counts => ({
  startedMs: Number(status.started),
  queuedTexts: status.queuedTexts,
  queuedTokens: status.queuedTokens,
  cacheEntries: status.cacheEntries,
  memoryBytes: status.memoryBytes,
  draining: Number(status.draining),
  ...Object.fromEntries(status.models.map((model) => [readyOf(model), Number(model.ready)])),
});

/** Of this process and the others as if they were one: what one of them lacks, some calls will meet. undefined: it does not tell. */
export function mergedStatus(
  here: GetStatusResponse,
  others: readonly (Counts | undefined)[],
): GetStatusResponse {
  const told = others.filter((counts) => counts !== undefined);
  const isComplete = told.length === others.length;
  const all = [countsOfStatus(here), ...told];
  const valuesOf = (name: string) => all.map((counts) => counts[name] ?? 0);
  const sum = (name: keyof GetStatusResponse) =>
    valuesOf(name).reduce((total, value) => total + value, 0);
  return {
    ...here,
    started: new Date(Math.min(...valuesOf("startedMs"))),
    models: here.models.map((model) => ({
      ...model,
      ready: isComplete && valuesOf(readyOf(model)).every(Boolean),
    })),
    queuedTexts: sum("queuedTexts"),
    queuedTokens: sum("queuedTokens"),
    cacheEntries: sum("cacheEntries"),
    memoryBytes: sum("memoryBytes"),
    draining: valuesOf("draining").some(Boolean),
  };
}
