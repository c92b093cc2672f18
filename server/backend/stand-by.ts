import type { Clock } from "../core/clock.js";
import { ServiceError } from "../core/errors.js";
import { resultOf } from "../core/settled.js";
import { type Backend, keyOf, type ModelVersion } from "./backend.js";

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
  // By model: one that the first lacks says nothing of the others.
  const ramps = new Map<string, Ramp>();
  const rampOf = (model: ModelVersion): Ramp => {
    const key = keyOf(model);
    const ramp = ramps.get(key) ?? new Ramp(clock);
    ramps.set(key, ramp);
    return ramp;
  };

  return {
    name: first.name,
    concurrency: Math.max(first.concurrency, second.concurrency),
    maxInFlight: Math.max(first.maxInFlight, second.maxInFlight),
    // Which of them runs a batch is not known when it is put together.
    maxAheadMs: Math.max(
      first.maxAheadMs ?? Number.POSITIVE_INFINITY,
      second.maxAheadMs ?? Number.POSITIVE_INFINITY,
    ),
    maxPaddingRatio: first.maxPaddingRatio,
    isUp: (model) => first.isUp(model) || second.isUp(model),
    status: () => [...first.status(), ...second.status()],

    async load(model) {
      // The second must be ready before it is needed. The first may come later: it goes on trying by itself.
      const [second_, first_] = await Promise.allSettled([second.load(model), first.load(model)]);
      resultOf(second_);
      if (first_.status === "rejected") rampOf(model).fell();
    },

    async unload(model) {
      ramps.delete(keyOf(model));
      await Promise.all([first.unload(model), second.unload(model)]);
    },

    async infer(model, batch, context) {
      const ramp = rampOf(model);
      if (!first.isUp(model)) {
        ramp.fell();
        report("primary_down");
        return second.infer(model, batch, context);
      }
      if (!ramp.isFirstsTurn()) return second.infer(model, batch, context);
      try {
        const inference = await first.infer(model, batch, context);
        ramp.climbed();
        return inference;
      } catch (error) {
        if (!(error instanceof ServiceError && error.reason === "BACKEND_DOWN")) throw error;
        ramp.fell();
        report("primary_failed");
        return second.infer(model, batch, context);
      }
    },

    async [Symbol.asyncDispose]() {
      await Promise.all([first[Symbol.asyncDispose](), second[Symbol.asyncDispose]()]);
    },
  };
}

/** What share of a model's batches the first backend gets. */
class Ramp {
  #share = 1;
  #credit = 0;
  #steppedMs: number;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#steppedMs = clock.now();
  }

  fell(): void {
    this.#share = FIRST_SHARE;
    this.#steppedMs = this.#clock.now();
  }

  climbed(): void {
    if (this.#share === 1 || this.#clock.now() - this.#steppedMs < STEP_MS) return;
    this.#share = Math.min(1, this.#share * 2);
    this.#steppedMs = this.#clock.now();
  }

  /** Every tenth, fifth, ... call, so that the share holds in a short run too. */
  isFirstsTurn(): boolean {
    this.#credit += this.#share;
    if (this.#credit < 1) return false;
    this.#credit -= 1;
    return true;
  }
}
