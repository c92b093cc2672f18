import { readFile } from "node:fs/promises";
import { isIPv6 } from "node:net";
import { createServer } from "nice-grpc";
import { HealthDefinition, HealthServiceImpl, HealthState } from "nice-grpc-server-health";
import { ServerReflection, ServerReflectionService } from "nice-grpc-server-reflection";
import type { Clock } from "../core/clock.js";
import { messageOf, StartupError } from "../core/errors.js";
import {
  AdminServiceDefinition,
  SentimentServiceDefinition,
} from "../gen/sentiment/v1/sentiment.js";
import { adminService } from "./admin-service.js";
import { analyzer, type ServiceParts } from "./analyzer.js";
import { callContext, passDeadlineOn } from "./call-context.js";
import { trackConnections } from "./connections.js";
import { createDrain } from "./drain.js";
import { errorMiddleware } from "./error-middleware.js";
import { sentimentService } from "./sentiment-service.js";
import { markInvalidUtf8 } from "./wire-text.js";

const SERVICES = [SentimentServiceDefinition.fullName, AdminServiceDefinition.fullName];
/** The build puts the descriptors of the protos beside the generated code. */
const DESCRIPTORS = new URL("../gen/descriptors.binpb", import.meta.url);
/** Room in a message for what is not text: field tags, options, and texts that are escaped no further. */
const MESSAGE_OVERHEAD_BYTES = 64 * 1024;
const MAX_UTF8_BYTES = 4;
const HEALTH_MS = 500;
const stateOf = (ready: boolean) => (ready ? "healthy" : "unhealthy");
/** A client that has vanished without a word is noticed by a ping that it does not answer. */
const KEEPALIVE_MS = 60_000;
const KEEPALIVE_LIMIT_MS = 20_000;

export interface GrpcServer {
  /** The port that it listens on. */
  readonly port: number;
  /**
   * Says NOT_SERVING and refuses new calls; after `probeMs`, in which load balancers notice, closes the port and finishes what
   * is under way; cuts off what is not done `limitMs` later. Always ends.
   */
  drain(probeMs: number, limitMs: number): Promise<void>;
}

/** Listens and serves. `models` are the names that health answers for besides the services. Throws StartupError for a port in use. */
export async function serveGrpc(
  address: string,
  port: number,
  parts: ServiceParts,
  clock: Clock,
): Promise<GrpcServer> {
  markInvalidUtf8();
  const { maxBatchTexts, maxTextLength } = parts.limits;
  const health = HealthState();
  // One listener a health watch.
  health.setMaxListeners(0);
  const drain = createDrain();
  const server = createServer({
    "grpc.max_receive_message_length":
      maxBatchTexts * maxTextLength * MAX_UTF8_BYTES + MESSAGE_OVERHEAD_BYTES,
    // Channelz keeps records of every connection and call, and leaks (grpc-js).
    "grpc.enable_channelz": 0,
    "grpc.keepalive_time_ms": KEEPALIVE_MS,
    "grpc.keepalive_timeout_ms": KEEPALIVE_LIMIT_MS,
    interceptors: [passDeadlineOn],
  })
    .use(errorMiddleware(parts.reportBug))
    .use(callContext(clock));
  const analyze = analyzer(parts);
  server.with(drain.refuse).add(SentimentServiceDefinition, sentimentService(parts, analyze));
  server.with(drain.refuse).add(AdminServiceDefinition, adminService(parts));
  server.with(drain.end).add(HealthDefinition, HealthServiceImpl(health));
  server
    .with(drain.end)
    .add(ServerReflectionService, ServerReflection(await readFile(DESCRIPTORS), SERVICES));

  const host = isIPv6(address) ? `[${address}]` : address;
  const bound = await server.listen(`${host}:${port}`).catch((error: unknown) => {
    throw new StartupError(listenFault(address, port, error), error);
  });
  const connections = trackConnections(bound);
  /** What cannot answer now must not be sent any calls: looked at again and again, since models and backends come and go. */
  const watch = () => {
    const served = parts.models.list();
    for (const model of served) health.setStatus(stateOf(model.isReady()), model.name);
    const ready = !parts.loadsAhead || served.every((model) => model.isReady());
    for (const name of ["", ...SERVICES]) health.setStatus(stateOf(ready), name);
    stopWatching = clock.after(HEALTH_MS, watch);
  };
  let stopWatching = () => {};
  watch();

  return {
    port: bound,
    async drain(probeMs, limitMs) {
      stopWatching();
      for (const name of ["", ...SERVICES, ...parts.models.list().map((model) => model.name)])
        health.setStatus("unhealthy", name);
      drain.begin();
      if (probeMs > 0) await new Promise<void>((done) => clock.after(probeMs, done));
      const cancel = clock.after(limitMs, connections.destroy);
      await server.shutdown().finally(cancel);
      connections[Symbol.dispose]();
    },
  };
}

function listenFault(address: string, port: number, error: unknown): string {
  const why = messageOf(error);
  if (why.includes("EADDRINUSE")) {
    return `GRPC_PORT ${port} is in use on ${address}: end the process that has it, or set another GRPC_PORT`;
  }
  if (why.includes("EACCES"))
    return `GRPC_PORT ${port} is not allowed to this user: set one from 1024 up`;
  return `BIND_ADDRESS ${address} with GRPC_PORT ${port} cannot be listened on: ${why}`;
}
