import { duration, percent, rate } from "../parts/format.ts";
import type { Sample } from "./sample.ts";
import { Sparkline } from "./sparkline.tsx";

interface Gauge {
  readonly name: string;
  readonly of: (sample: Sample) => number | undefined;
  readonly say: (value: number) => string;
  readonly top?: number;
}

const GAUGES: readonly Gauge[] = [
  { name: "Throughput", of: ({ texts }) => texts, say: (value) => `${rate(value)} texts/s` },
  { name: "Latency p50", of: ({ p50Ms }) => p50Ms, say: duration },
  { name: "Latency p95", of: ({ p95Ms }) => p95Ms, say: duration },
  { name: "Hit rate", of: ({ hitRate }) => hitRate, say: percent, top: 1 },
  { name: "Batch size", of: ({ batchRows }) => batchRows, say: (value) => `${rate(value)} rows` },
];
const QUEUE: Gauge = {
  name: "Waiting now",
  of: ({ waiting }) => waiting,
  say: (value) => `${rate(value)} rows`,
};

interface Props {
  readonly samples: readonly Sample[];
  /** What waits is known of the server alone. */
  readonly withQueue: boolean;
}

export function Gauges({ samples, withQueue }: Props) {
  const last = samples.at(-1);
  return (
    <dl class="gauges">
      {[...GAUGES, ...(withQueue ? [QUEUE] : [])].map(({ name, of, say, top }) => {
        const value = last && of(last);
        return (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <span class="value">{value === undefined ? "–" : say(value)}</span>
              <Sparkline values={samples.map(of)} {...(top !== undefined && { top })} />
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
