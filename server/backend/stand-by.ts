import type { Clock } from "../core/clock.js";
import { ServiceError } from "../core/errors.js";
import type { Backend } from "./backend.js";

/** Share of the batches that go to a backend that has just failed, or just come back. */
const FIRST_SHARE = 0.1;
const STEP_MS = 1000;

/**
 * Two backends of the same models. What the first one cannot run is run by the second, within the callers' deadline; the first, once
 * it answers again, gets its batches back step by step: a tenth, then twice as many each second. `first` must leave the buffers of a batch
 * that it does not answer as they are.
 */
export function standBy(
  first: Backend,
  second: Backend,
  clock: Clock,
  report: (cause: "primary_down" | "primary_failed") => void,
): Backend {
  let share = 1;
  let credit = 0;
  let steppedMs = clock.now();
  const fell = () => {
    share = FIRST_SHARE;
    steppedMs = clock.now();
  };
  const climbed = () => {
    if (share === 1 || clock.now() - steppedMs < STEP_MS) return;
    share = Math.min(1, share * 2);
    steppedMs = clock.now();
  };
  /** Every tenth, fifth, ... call, so that the share holds in a short run too. */
  const isFirstsTurn = () => {
    credit += share;
    if (credit < 1) return false;
    credit -= 1;
    return true;
  };

  return {
    name: first.name,
    concurrency: Math.max(first.concurrency, second.concurrency),
    maxPaddingRatio: first.maxPaddingRatio,
    isUp: (model) => first.isUp(model) || second.isUp(model),
    status: () => [...first.status(), ...second.status()],

    async load(model) {
      // The second must be ready before it is needed. The first may come later: it goes on trying by itself.
      const [second_, first_] = await Promise.allSettled([second.load(model), first.load(model)]);
      if (second_.status === "rejected") throw second_.reason;
      if (first_.status === "rejected") fell();
    },

    async unload(model) {
      await Promise.all([first.unload(model), second.unload(model)]);
    },

    async infer(model, batch, context) {
      if (!first.isUp(model)) {
        fell();
        report("primary_down");
        return second.infer(model, batch, context);
      }
      if (!isFirstsTurn()) return second.infer(model, batch, context);
      try {
        const inference = await first.infer(model, batch, context);
        climbed();
        return inference;
      } catch (error) {
        if (!(error instanceof ServiceError && error.reason === "BACKEND_DOWN")) throw error;
        fell();
        report("primary_failed");
        return second.infer(model, batch, context);
      }
    },

    async [Symbol.asyncDispose]() {
      await Promise.all([first[Symbol.asyncDispose](), second[Symbol.asyncDispose]()]);
    },
  };
}
