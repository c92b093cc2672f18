import { setTimeout as sleep } from "node:timers/promises";
import type { Calls } from "../calls.js";
import type { SentimentError } from "../errors.js";
import type { CallLimits } from "../options.js";
import type { Wanted } from "../wire.js";
import { type Answer, answerOf } from "./answer.js";
import { isAskedAgain } from "./patience.js";
import type { Asking } from "./run.js";
import type { Slot } from "./window.js";

/** How long a text waits for others of its call: an iterable that has them at hand fills it at once. */
const LINGER_MS = 20;

export interface BatchLimits {
  readonly batchSize: number;
  readonly concurrency: number;
  /** undefined: the client's own. */
  readonly deadlineMs: number | undefined;
}

/** One answer a text, in their order. Rejects for what concerns all of them. */
export async function askBatch(
  calls: Calls,
  texts: readonly string[],
  wanted: Wanted,
  limits: CallLimits,
): Promise<Answer[]> {
  const request = { texts: [...texts], ...wanted };
  const { results } = await calls.unary(
    (client, options) => client.analyzeBatch(request, options),
    limits,
  );
  return texts.map((_, place) => answerOf(results[place]));
}

/** Asks what the window has, by so many calls at once, until all is answered. */
export async function askInBatches(asking: Asking, limits: BatchLimits): Promise<void> {
  const worker = async () => {
    for (;;) {
      const slots = await asking.window.take(limits.batchSize, LINGER_MS, asking.signal);
      if (slots.length === 0) return;
      await askUntilAnswered(asking, slots, limits);
    }
  };
  await Promise.all(Array.from({ length: limits.concurrency }, worker));
}

async function askUntilAnswered(
  asking: Asking,
  slots: readonly Slot[],
  limits: BatchLimits,
): Promise<void> {
  const { patience, signal } = asking;
  let tries = 0;
  for (let left = slots; left.length > 0; ) {
    const failed = await askOnce(asking, left, limits);
    if (failed === undefined) return;
    tries = failed.slots.length < left.length ? 1 : tries + 1;
    left = failed.slots;
    await sleep(patience.delayMs(failed.error, tries), undefined, { signal });
  }
}

interface Failed {
  readonly slots: readonly Slot[];
  readonly error: SentimentError;
}

/** What has to be asked again; undefined: nothing. */
async function askOnce(
  { calls, window, wanted, patience, signal }: Asking,
  slots: readonly Slot[],
  { deadlineMs }: BatchLimits,
): Promise<Failed | undefined> {
  const texts = slots.map(({ text }) => text);
  let answers: readonly Answer[];
  try {
    answers = await askBatch(calls, texts, wanted, { deadlineMs, signal });
  } catch (error) {
    if (isAskedAgain(error)) return { slots, error };
    throw error;
  }
  let failed: { slots: Slot[]; error: SentimentError } | undefined;
  for (const [place, slot] of slots.entries()) {
    const answer = answers[place] ?? answerOf(undefined);
    if (isAskedAgain(answer.error)) {
      failed = { slots: [...(failed?.slots ?? []), slot], error: answer.error };
    } else {
      patience.answered();
      window.settle(slot, answer);
    }
  }
  return failed;
}
