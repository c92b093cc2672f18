import { setTimeout as sleep } from "node:timers/promises";
import type { Calls } from "../calls.js";
import type { SentimentError } from "../errors.js";
import type { CallLimits } from "../options.js";
import type { Wanted } from "../wire.js";
import { type Answer, answerOf } from "./answer.js";
import { isAskedAgain, isCallAskedAgain, isTooLarge } from "./patience.js";
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

/** Together they were too large; one that is by itself has its answer. */
async function askInHalves(
  asking: Asking,
  slots: readonly Slot[],
  limits: BatchLimits,
  error: SentimentError,
): Promise<void> {
  const [first, ...others] = slots;
  if (first !== undefined && others.length === 0) {
    asking.patience.answered();
    asking.window.settle(first, { error });
    return;
  }
  const half = Math.ceil(slots.length / 2);
  await askUntilAnswered(asking, slots.slice(0, half), limits);
  await askUntilAnswered(asking, slots.slice(half), limits);
}

/** What has to be asked again; undefined: nothing. */
async function askOnce(
  asking: Asking,
  slots: readonly Slot[],
  limits: BatchLimits,
): Promise<Failed | undefined> {
  const { calls, wanted, signal } = asking;
  const { deadlineMs } = limits;
  const texts = slots.map(({ text }) => text);
  let answers: readonly Answer[];
  try {
    answers = await askBatch(calls, texts, wanted, { deadlineMs, signal });
  } catch (error) {
    if (isCallAskedAgain(error)) return { slots, error };
    if (!isTooLarge(error)) throw error;
    await askInHalves(asking, slots, limits, error);
    return undefined;
  }
  return settled(asking, slots, answers);
}

/** What of it has to be asked again; undefined: nothing. */
function settled(
  { window, patience }: Asking,
  slots: readonly Slot[],
  answers: readonly Answer[],
): Failed | undefined {
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
