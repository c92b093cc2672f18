import { type Backend, ModelError, versionText } from "../../server/backend/backend.js";

/** A backend whose batches wait until the test lets them go: for what cannot be timed with a real one. */
export interface HeldBackend extends Backend {
  /** Batches that wait. */
  readonly waiting: number;
  /** Rows that it was given so far. */
  readonly rows: number;
  /** Answers all that wait, and all that come. */
  release(): void;
}

export function heldBackend(concurrency = 1): HeldBackend {
  const waiting: (() => void)[] = [];
  let released = false;
  let rows = 0;
  return {
    name: "held",
    concurrency,
    maxInFlight: concurrency,
    maxPaddingRatio: 0.12,
    isUp: () => true,
    status: () => [{ backend: "held", up: true }],
    unload: async () => {},
    get waiting() {
      return waiting.length;
    },
    get rows() {
      return rows;
    },
    release() {
      released = true;
      for (const go of waiting.splice(0)) go();
    },
    load: async () => {},
    async infer(model, batch) {
      if (batch.rows < 1) throw new ModelError("an empty batch");
      rows += batch.rows;
      if (!released) await new Promise<void>((go) => waiting.push(go));
      const logits = new Float32Array(batch.rows * 3).fill(0.5);
      return { logits, version: versionText("held", model) };
    },
    [Symbol.asyncDispose]: async () => {},
  };
}

/** Resolves once `condition` holds; it is looked at on every turn of the event loop. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((next) => setImmediate(next));
}
