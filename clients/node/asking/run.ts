import type { Calls } from "../calls.js";
import type { AskingOptions, Texts } from "../options.js";
import type { Outcome } from "../sentiment.js";
import { type Wanted, wantedOf } from "../wire.js";
import { Patience } from "./patience.js";
import { Window } from "./window.js";

/** What those need who answer the texts of a window. */
export interface Asking {
  readonly calls: Calls;
  readonly window: Window;
  readonly wanted: Wanted;
  readonly patience: Patience;
  /** Fires when nobody wants answers any more. */
  readonly signal: AbortSignal;
}

interface WindowLimits {
  readonly size: number;
  readonly inOrder: boolean;
}

/** The outcomes of the texts, as `ask` answers them. Nothing is read before the first is wanted. */
export function outcomesOf(
  calls: Calls,
  texts: Texts,
  { size, inOrder }: WindowLimits,
  options: AskingOptions,
  ask: (asking: Asking) => Promise<void>,
): AsyncGenerator<Outcome, void, undefined> {
  const over = new AbortController();
  const window = new Window(size, inOrder);
  const wanted = wantedOf(options);
  const patience = new Patience(options);
  const asking = { calls, window, wanted, patience, signal: over.signal };
  return run(asking, texts, over, options.signal, ask);
}

async function* run(
  asking: Asking,
  texts: Texts,
  over: AbortController,
  signal: AbortSignal | undefined,
  ask: (asking: Asking) => Promise<void>,
) {
  signal?.throwIfAborted();
  const { window, patience } = asking;
  const leave = () => window.fail(signal?.reason);
  signal?.addEventListener("abort", leave, { once: true });
  void window.read(texts);
  const fail = (error: unknown) => window.fail(error);
  ask(asking).catch(fail);
  const watch = patience.watch(() => window.hasUnanswered, fail);
  try {
    yield* window.outcomes();
  } finally {
    clearInterval(watch);
    signal?.removeEventListener("abort", leave);
    over.abort();
    window.stop();
  }
}
