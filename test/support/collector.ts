import { spawn } from "node:child_process";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { freePorts } from "./ports.js";

const CONFIG = "deploy/otel/collector.yaml";
const READY_MS = 10_000;
const POLL_MS = 20;
const LOG_SHOWN = 2000;

export interface Collector extends AsyncDisposable {
  /** For a server that is to send its spans to it. */
  readonly env: Readonly<Record<string, string>>;
  /** Of OTLP over HTTP. */
  readonly httpPort: number;
  /** At once; resolves when it has ended. */
  kill(): Promise<void>;
  /** Stops it: connections stay open, and nothing answers. */
  freeze(): void;
  thaw(): void;
}

/** A real OpenTelemetry Collector, of test/full/collector.sh, that passes spans on to `tracesUrl` as JSON. Disposing kills it. */
export async function startCollector(tracesUrl: string): Promise<Collector> {
  const binary = process.env["OTELCOL"];
  if (binary === undefined) throw new Error("OTELCOL is not set: run it by test/full/collector.sh");
  const [grpcPort = 0, httpPort = 0] = await freePorts(2);
  const child = spawn(binary, ["--config", CONFIG], {
    stdio: ["ignore", "ignore", "pipe"],
    env: {
      OTLP_GRPC_ADDRESS: `127.0.0.1:${grpcPort}`,
      OTLP_HTTP_ADDRESS: `127.0.0.1:${httpPort}`,
      TRACES_ENDPOINT: tracesUrl,
      TRACES_ENCODING: "json",
      BATCH_TIMEOUT: "50ms",
    },
  });
  let log = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    log = (log + text).slice(-LOG_SHOWN);
  });
  const ended = once(child, "exit");
  const endWithUs = () => child.kill("SIGKILL");
  process.on("exit", endWithUs);
  const kill = async () => {
    child.kill("SIGKILL");
    await ended;
    process.removeListener("exit", endWithUs);
  };
  const deadlineMs = performance.now() + READY_MS;
  while (!((await listens(grpcPort)) && (await listens(httpPort)))) {
    if (child.exitCode !== null || performance.now() > deadlineMs) {
      await kill();
      throw new Error(`the collector does not listen: ${log}`);
    }
    await sleep(POLL_MS);
  }
  return {
    env: {
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${grpcPort}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: "grpc",
      OTEL_BSP_SCHEDULE_DELAY: "200",
    },
    httpPort,
    kill,
    freeze: () => child.kill("SIGSTOP"),
    thaw: () => child.kill("SIGCONT"),
    [Symbol.asyncDispose]: kill,
  };
}

async function listens(port: number): Promise<boolean> {
  const socket = connect({ port, host: "127.0.0.1" });
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
