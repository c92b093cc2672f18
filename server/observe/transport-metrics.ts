import { Counter, Gauge, type Registry } from "prom-client";

const CUT_REASONS = [
  "large_metadata",
  "too_many_streams",
  "large_requests",
  "slow_request",
  "silent_stream",
  "stopped_reader",
] as const;

/** What connections tell. */
export interface TransportMetrics {
  readonly opened: () => void;
  readonly closed: () => void;
  readonly refused: () => void;
  /** One call that was ended for what its client did not do. */
  readonly cut: (why: (typeof CUT_REASONS)[number]) => void;
  /** The certificate that is served from now on ends then; milliseconds since 1970. */
  readonly certificateUntil: (ms: number) => void;
}

/** Adds the metrics of connections. */
export function transportMetrics(registry: Registry): TransportMetrics {
  const registers = [registry];
  let open = 0;
  new Gauge({
    name: "sentiment_connections",
    help: "Connections to the gRPC port that are open",
    aggregator: "sum",
    registers,
    collect() {
      this.set(open);
    },
  });
  const refused = new Counter({
    name: "sentiment_connections_refused_total",
    help: "Connections that were closed at once, since MAX_CONNECTIONS were open",
    registers,
  });
  const cut = new Counter({
    name: "sentiment_calls_cut_total",
    help: "Calls that were ended for their clients: too much metadata (large_metadata), too many streams (too_many_streams), requests that take too much memory together (large_requests), one that did not arrive in time (slow_request), nothing sent for long (silent_stream), no answer taken for long (stopped_reader)",
    labelNames: ["reason"],
    registers,
  });
  for (const reason of CUT_REASONS) cut.inc({ reason }, 0);
  let untilSeconds: number | undefined;
  new Gauge({
    name: "sentiment_certificate_expiry_timestamp_seconds",
    help: "When the certificate that is served ends, in seconds since 1970; no value without TLS",
    aggregator: "min",
    registers,
    collect() {
      if (untilSeconds === undefined) this.remove();
      else this.set(untilSeconds);
    },
  });
  return {
    opened: () => void open++,
    closed: () => void open--,
    refused: () => refused.inc(),
    cut: (reason) => cut.inc({ reason }),
    certificateUntil: (ms) => {
      untilSeconds = ms / 1000;
    },
  };
}
