import type { Clock } from "../core/clock.js";
import type { Registry } from "./metrics.js";
import { tallyingHistogram } from "./tally.js";

/** How often it is looked at: a turn of the loop that takes longer is seen, whenever it comes. */
const EVERY_MS = 10;
/** A process that was stopped for an hour must not be busy with telling of it. */
const MOST_LATE_MS = 60_000;

/**
 * How late timers are, which is how long a call that arrives waits before anything is done for it. A loop that is held up for a second would be seen once,
 * late by a second; those who arrive meanwhile wait for what is left of it, and so are the looks counted that it has missed. A histogram, so that those
 * of several processes add up.
 */
export function watchEventLoopLag(registry: Registry, clock: Clock): Disposable {
  const { labels } = tallyingHistogram({
    name: "sentiment_event_loop_lag_seconds",
    help: "How much later than asked for a timer of the thread that takes calls fires, looked at every 10 ms, in seconds",
    buckets: [0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1, 5],
    registers: [registry],
  });
  const lag = labels({});
  let cancel = () => {};
  const look = () => {
    const dueMs = clock.now() + EVERY_MS;
    cancel = clock.after(EVERY_MS, () => {
      const lateMs = Math.min(MOST_LATE_MS, Math.max(0, clock.now() - dueMs));
      for (let leftMs = lateMs; leftMs >= 0; leftMs -= EVERY_MS) lag.observe(leftMs / 1000);
      look();
    });
  };
  look();
  return { [Symbol.dispose]: () => cancel() };
}
