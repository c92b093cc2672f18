import { readFile } from "node:fs/promises";
import { isIPv6 } from "node:net";
import type { ServerCredentials } from "@grpc/grpc-js";
import { createServer } from "nice-grpc";
import { HealthDefinition, HealthServiceImpl, HealthState } from "nice-grpc-server-health";
import { ServerReflection } from "nice-grpc-server-reflection";
import type { Clock } from "../core/clock.js";
import { listenFault } from "../core/listen-fault.js";
import { GRPCInferenceServiceDefinition } from "../gen/inference/grpc_service.js";
import {
  AdminServiceDefinition,
  SentimentServiceDefinition,
} from "../gen/sentiment/v1/sentiment.js";
import { adminService } from "./admin-service.js";
import { analyzer, type ServiceParts } from "./analyzer.js";
import { aroundCalls } from "./around-calls.js";
import { authorize, refuseAdmin } from "./authorize.js";
import { bounded } from "./bounded-reader.js";
import { byAddress } from "./by-address.js";
import { limitConnections } from "./connection-limits.js";
import { noticeListeners } from "./connections.js";
import { createDrain } from "./drain.js";
import { type Check, createEntrance } from "./entrance.js";
import type { TransportEvents } from "./events.js";
import { hushMetadata } from "./grpc-log.js";
import { holdRequests } from "./held-requests.js";
import { inflateInTurn } from "./inflate-in-turn.js";
import type { Keys } from "./keys/keys.js";
import { allButProbes, kserveService, PROBES } from "./kserve/kserve-service.js";
import { REFLECTIONS, reflectionDefinition } from "./reflection.js";
import { sentimentService } from "./sentiment-service.js";
import { sharingMemory } from "./shared-writer.js";
import { shortRequests } from "./short-requests.js";
import { StreamPlaces } from "./stream-places.js";
import { channelOptions, mostBytesOf, type TransportLimits } from "./transport.js";
import { watchCalls } from "./watched-call.js";
import { markInvalidUtf8 } from "./wire-text.js";

const DEFINITIONS = [
  SentimentServiceDefinition,
  AdminServiceDefinition,
  GRPCInferenceServiceDefinition,
];
const SERVICES = DEFINITIONS.map(({ fullName }) => fullName);
/** What anybody may call, with or without a key: requests of a few names. */
const NO_KEY_NEEDED = new Set([
  ...Object.values(HealthDefinition.methods).map(
    ({ name }) => `/${HealthDefinition.fullName}/${name}`,
  ),
  ...PROBES,
]);
/** The build puts the descriptors of the protos beside the generated code. */
const DESCRIPTORS = new URL("../gen/descriptors.binpb", import.meta.url);
/** What health calls that the server answers at all, also without a backend and while it drains: for a liveness probe. */
const LIVENESS = "liveness";
const HEALTH_MS = 500;
/** Two of the largest requests, each at twice its bytes. */
const LARGEST_TIMES = 4;
/** A connection whose TLS handshake was under way when the others were asked to close was not asked (grpc-js 1.14). */
const ASK_AGAIN_MS = 1000;
const stateOf = (ready: boolean) => (ready ? "healthy" : "unhealthy");
/** Clients that hear nothing must not hold the drain up. */
const RETIRE_LIMIT_MS = 5000;

export interface GrpcServer {
  /** The port that it listens on. */
  readonly port: number;
  /**
   * Says NOT_SERVING, but serves on for `probeMs`, in which load balancers notice. Then it closes the port, asks clients to leave, and finishes what
   * is under way; cuts off what is not done `limitMs` later. Always ends.
   */
  drain(probeMs: number, limitMs: number): Promise<void>;
}

export interface GrpcOptions extends TransportLimits {
  readonly bindAddress: string;
  /** 0 takes a free one. */
  readonly grpcPort: number;
}

/** Who gets in. */
export interface Access {
  /** undefined: all may call, but AdminService is off. */
  readonly keys: Keys | undefined;
  /** undefined: plaintext. */
  readonly credentials: ServerCredentials | undefined;
  readonly events: TransportEvents;
}

/** Listens and serves. Throws StartupError for a port in use. */
export async function serveGrpc(
  options: GrpcOptions,
  parts: ServiceParts,
  clock: Clock,
  { keys, credentials, events }: Access,
): Promise<GrpcServer> {
  markInvalidUtf8();
  hushMetadata();
  const { bindAddress, grpcPort } = options;
  const { timeoutMs } = parts.limits;
  const { streamIdleMs: idleMs, maxStreams } = options;
  const health = HealthState();
  // One listener a health watch.
  health.setMaxListeners(0);
  health.setStatus("healthy", LIVENESS);
  const drain = createDrain();
  const entrance = createEntrance(checksOf(keys, parts.quota.isByDefault));
  const mostHeld = Math.max(options.maxRequestBytes, LARGEST_TIMES * mostBytesOf(parts.limits));
  const clientLimits = { requestMs: timeoutMs, idleMs, maxStreams };
  const server = createServer({
    ...channelOptions(options, parts.limits, timeoutMs),
    interceptors: [
      shortRequests(NO_KEY_NEEDED),
      holdRequests(mostHeld, clock, () => events.cut("large_requests")),
      inflateInTurn(),
      watchCalls(clientLimits, entrance, clock, (why) => events.cut(why)),
    ],
  });
  // Each method's faults are counted from 0 on, before its first call.
  for (const { fullName, methods } of DEFINITIONS)
    for (const { name, requestStream, responseStream } of Object.values(methods))
      parts.events.method(`/${fullName}/${name}`, requestStream || responseStream);
  const around = aroundCalls(parts);
  const analyze = analyzer(parts);
  const places = new StreamPlaces(maxStreams, () => events.cut("too_many_streams"));
  server
    .with(around)
    .add(
      sharingMemory(bounded(SentimentServiceDefinition)),
      sentimentService(parts, analyze, drain, places),
    );
  server.with(around).add(bounded(AdminServiceDefinition), adminService(parts, analyze));
  server
    .with(around)
    .add(
      sharingMemory(bounded(GRPCInferenceServiceDefinition)),
      kserveService(parts, analyze, drain, parts.version),
    );
  // Probes have no keys, and there is nothing to find out of them.
  server
    .with(aroundCalls(parts, true))
    .with(drain.end)
    .add(HealthDefinition, HealthServiceImpl(health));
  const described = ServerReflection(await readFile(DESCRIPTORS), [
    ...SERVICES,
    HealthDefinition.fullName,
  ]);
  for (const name of REFLECTIONS)
    server
      .with(around)
      .with((call, context) => places.during(call, context))
      .with(drain.end)
      .add(reflectionDefinition(name), described);

  const host = isIPv6(bindAddress) ? `[${bindAddress}]` : bindAddress;
  using listeners = noticeListeners();
  const bound = await server.listen(`${host}:${grpcPort}`, credentials).catch((error: unknown) => {
    throw listenFault("GRPC_PORT", bindAddress, grpcPort, error);
  });
  const connections = listeners.at(bound);
  const limits = limitConnections(bound, options.maxConnections, clock, events);
  /** What cannot answer now must not be sent any calls: looked at again and again, since models and backends come and go. */
  const watch = () => {
    const served = parts.models.list();
    for (const model of served) health.setStatus(stateOf(model.canServe()), model.name);
    const ready = served.every((model) => model.canServe());
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
      drain.announce();
      if (probeMs > 0) await new Promise<void>((done) => clock.after(probeMs, done));
      await connections.refuse(RETIRE_LIMIT_MS);
      await connections.retire(RETIRE_LIMIT_MS);
      drain.begin();
      const cancel = clock.after(limitMs, connections.destroy);
      const callOff = clock.after(ASK_AGAIN_MS, () => void server.shutdown().catch(() => {}));
      await server.shutdown().finally(() => {
        cancel();
        callOff();
      });
      limits[Symbol.dispose]();
    },
  };
}

/** Of each service that not all may call, or whose callers are told apart (by their address, where there are quotas without keys), who may. */
function checksOf(keys: Keys | undefined, isByAddress: boolean): ReadonlyMap<string, Check> {
  const { fullName: admin } = AdminServiceDefinition;
  const { fullName: sentiment } = SentimentServiceDefinition;
  const { fullName: kserve } = GRPCInferenceServiceDefinition;
  if (keys === undefined) {
    const open = [sentiment, ...REFLECTIONS].map((name) => [name, byAddress] as const);
    const byAddresses = [...open, [kserve, allButProbes(byAddress)] as const];
    return new Map<string, Check>([[admin, refuseAdmin], ...(isByAddress ? byAddresses : [])]);
  }
  const analyze = authorize(keys, "analyze");
  const either = authorize(keys, "analyze", "admin");
  return new Map<string, Check>([
    [sentiment, analyze],
    [kserve, allButProbes(analyze)],
    [admin, authorize(keys, "admin")],
    ...REFLECTIONS.map((name) => [name, either] as const),
  ]);
}
