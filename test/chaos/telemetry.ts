import { startCollector } from "../support/collector.js";
import { startSpanSink } from "../support/span-sink.js";

/** Where the server under test sends its traces. */
export interface Telemetry {
  readonly env: Readonly<Record<string, string>>;
  readonly kind: string;
  kill(): Promise<void>;
  /** After a kill. */
  restart(): Promise<void>;
  freeze(): void;
  thaw(): void;
}

/** A real collector where it was built (test/full/collector.sh says where in OTELCOL), else a receiver of the test's own. All of it goes with `left`. */
export const startTelemetry = (left: AsyncDisposableStack): Promise<Telemetry> =>
  process.env["OTELCOL"] === undefined ? ownReceiver(left) : realCollector(left);

async function realCollector(left: AsyncDisposableStack): Promise<Telemetry> {
  const { port } = left.use(await startSpanSink());
  const url = `http://127.0.0.1:${port}`;
  let collector = await startCollector(url);
  left.defer(() => collector.kill());
  return {
    env: collector.env,
    kind: "OpenTelemetry Collector",
    kill: () => collector.kill(),
    async restart() {
      collector = await startCollector(url, collector.ports);
    },
    freeze: () => collector.freeze(),
    thaw: () => collector.thaw(),
  };
}

async function ownReceiver(left: AsyncDisposableStack): Promise<Telemetry> {
  let sink = await startSpanSink();
  left.defer(() => sink[Symbol.asyncDispose]());
  return {
    env: sink.env,
    kind: "a receiver of the test's own",
    kill: async () => sink[Symbol.asyncDispose](),
    async restart() {
      sink = await startSpanSink(sink.port);
    },
    freeze: () => sink.freeze(),
    thaw: () => sink.thaw(),
  };
}
