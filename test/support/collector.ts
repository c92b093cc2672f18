import { startInBackground } from "./background-process.js";
import { freePorts, listens } from "./ports.js";

const CONFIG = "deploy/otel/collector.yaml";
const READY_MS = 10_000;

export interface Collector extends AsyncDisposable {
  /** For a server that is to send its spans to it. */
  readonly env: Readonly<Record<string, string>>;
  /** Of OTLP over HTTP. */
  readonly httpPort: number;
  /** All that it listens on: of one that has ended they may be used again at once. */
  readonly ports: readonly number[];
  /** At once; resolves when it has ended. */
  kill(): Promise<void>;
  /** Stops it: connections stay open, and nothing answers. */
  freeze(): void;
  thaw(): void;
}

/** A real OpenTelemetry Collector, of test/full/collector.sh, that passes spans on to `tracesUrl` as JSON. Disposing kills it. */
export async function startCollector(
  tracesUrl: string,
  ports?: readonly number[],
): Promise<Collector> {
  const binary = process.env["OTELCOL"];
  if (binary === undefined) throw new Error("OTELCOL is not set: run it by test/full/collector.sh");
  const [grpcPort = 0, httpPort = 0] = ports ?? (await freePorts(2));
  const server = startInBackground(binary, ["--config", CONFIG], {
    OTLP_GRPC_ADDRESS: `127.0.0.1:${grpcPort}`,
    OTLP_HTTP_ADDRESS: `127.0.0.1:${httpPort}`,
    TRACES_ENDPOINT: tracesUrl,
    TRACES_ENCODING: "json",
    BATCH_TIMEOUT: "50ms",
  });
  await server.until(async () => (await listens(grpcPort)) && (await listens(httpPort)), READY_MS);
  return {
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${grpcPort}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
      OTEL_BSP_SCHEDULE_DELAY: "200",
    },
    httpPort,
    ports: [grpcPort, httpPort],
    kill: server.kill,
    freeze: () => server.signal("SIGSTOP"),
    thaw: () => server.signal("SIGCONT"),
    [Symbol.asyncDispose]: server.kill,
  };
}
