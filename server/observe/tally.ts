import {
  Counter,
  type CounterConfiguration,
  Histogram,
  type HistogramConfiguration,
  type LabelValues,
} from "prom-client";

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

/** Values that are kept until a histogram is told. */
const MOST_KEPT = 128;

/** Of a histogram with all its labels set. */
export interface Values {
  observe(value: number): void;
}

/**
 * A histogram for what every call, text or batch shows. Values are kept for each set of labels, and told in a row when there are many of them, or when it is read: told one by
 * one, between all else that a call does, each finds prom-client's code in no cache of the CPU. `labels` is to be asked once for each set.
 */
export function tallyingHistogram<Label extends string>(
  configuration: Omit<HistogramConfiguration<Label>, "collect">,
): { readonly histogram: Histogram<Label>; labels(values: LabelValues<Label>): Values } {
  const settle: (() => void)[] = [];
  const histogram: Histogram<Label> = new Histogram({
    ...configuration,
    collect() {
      for (const one of settle) one();
    },
  });
  return {
    histogram,
    labels(values) {
      const told = histogram.labels(values);
      const kept = new Float64Array(MOST_KEPT);
      let count = 0;
      const tell = () => {
        for (const value of kept.subarray(0, count)) told.observe(value);
        count = 0;
      };
      settle.push(tell);
      return {
        observe(value) {
          kept[count++] = value;
          if (count === MOST_KEPT) tell();
        },
      };
    },
  };
}
