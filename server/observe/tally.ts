import { Counter, type CounterConfiguration, type LabelValues } from "prom-client";

/** Of a counter with all its labels set. */
export interface Tally {
  /** One more, or `count`. */
  inc(count?: number): void;
}

/**
 * A counter for what every call counts. What is counted is added up in a number for each set of labels, which the counter is told when it is read:
 * prom-client makes a string of the labels, and looks it up, whenever it is told anything. `labels` is to be asked once for each set.
 */
export function tallyingCounter<Label extends string>(
  configuration: Omit<CounterConfiguration<Label>, "collect">,
): { labels(values: LabelValues<Label>): Tally } {
  const settle: (() => void)[] = [];
  const counter: Counter<Label> = new Counter({
    ...configuration,
    collect() {
      for (const one of settle) one();
    },
  });
  return {
    labels(values) {
      let counted = 0;
      const tell = () => {
        counter.inc(values, counted);
        counted = 0;
      };
      // A rate does not see a series that begins with its first count: sets of labels that can be foreseen are to be asked for ahead.
      tell();
      settle.push(tell);
      return {
        inc(count = 1) {
          counted += count;
        },
      };
    },
  };
}
