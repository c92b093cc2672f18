import { AggregatorRegistry, type Registry } from "prom-client";

/** What a registry holds, as it goes from process to process. */
export type MetricsSnapshot = Awaited<ReturnType<Registry["getMetricsAsJSON"]>>;

const COUNTS: readonly string[] = ["counter", "histogram", "summary"];
/** prom-client's types promise a number, and it gives the name. */
const countsOf = (snapshot: MetricsSnapshot) =>
  snapshot.filter(({ type }) => COUNTS.includes(String(type)));

/**
 * The metrics of several processes as if they were one, each merged as its `aggregator` says. Counts only ever grow, and so must their sum: a scraper
 * takes a fall for a new start, and counts all that is left once more. So what a process has counted stays when it is gone or late, as far
 * as it was told; its gauges do not.
 */
export class MergedMetrics {
  /** Of those that live, what they told last, by number. */
  readonly #last = new Map<number, MetricsSnapshot>();
  /** Counts of all that have ended, added up. */
  #gone: readonly object[] = [];

  took(number: number, snapshot: MetricsSnapshot): void {
    this.#last.set(number, snapshot);
  }

  /** The process of that number is gone; who replaces it counts from 0. */
  ended(number: number): void {
    const counts = countsOf(this.#last.get(number) ?? []);
    this.#last.delete(number);
    this.#gone = AggregatorRegistry.aggregate([this.#gone, counts]).getMetricsAsArray();
  }

  /** As Prometheus reads it. `answered`: those that have just told; `own`: the primary's. */
  text(answered: ReadonlySet<number>, own: MetricsSnapshot): Promise<string> {
    const lasts = [...this.#last].map(([number, snapshot]) =>
      answered.has(number) ? snapshot : countsOf(snapshot),
    );
    return AggregatorRegistry.aggregate([own, ...lasts, this.#gone]).metrics();
  }
}
