import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { type Bridge, startBridge } from "./bridge-process.js";
import { type NginxServer, startNginx } from "./nginx-server.js";
import { freePorts } from "./ports.js";
import { repositoryCopy } from "./repository-copy.js";
import { countsOf, scrape } from "./scrape.js";
import { type ServerProcess, startServer } from "./server-process.js";

interface Wanted {
  readonly servers: number;
  /** They ask by nginx too, so that each has all servers. Need `make gateway` before. */
  readonly bridges?: number;
  /** Settings of the servers. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Servers with the fast tier, and REST bridges, behind a real nginx with the recommended files. */
export interface Fleet extends AsyncDisposable {
  readonly nginx: NginxServer;
  /** Those that run now, in their places; another one takes the port of the one before. */
  readonly servers: readonly ServerProcess[];
  readonly bridges: readonly Bridge[];
  /** Resolves when it is gone, which with SIGTERM it has to do well. */
  endServer(place: number, signal: "SIGTERM" | "SIGKILL"): Promise<void>;
  /** Resolves when it is ready. */
  startServer(place: number): Promise<void>;
  killBridge(place: number): Promise<void>;
  startBridge(place: number): Promise<void>;
}

export async function startFleet(wanted: Wanted): Promise<Fleet> {
  await using left = new AsyncDisposableStack();
  const models = left.use(await repositoryCopy("fast"));
  const { servers: serverCount, bridges: bridgeCount = 0, env } = wanted;
  const [plainPort = 0, ...ports] = await freePorts(1 + serverCount + bridgeCount);
  const serverPorts = ports.slice(0, serverCount);
  const bridgePorts = ports.slice(serverCount);
  const serve = (port: number) =>
    startServer({
      GRPC_PORT: String(port),
      MODEL_REPOSITORY: models.folder,
      DEFAULT_TIER: "fast",
      WARM_UP_FILE: "/dev/null",
      ...env,
    });
  const bridge = (port: number) => startBridge(`127.0.0.1:${plainPort}`, port);
  const servers = await Promise.all(serverPorts.map(serve));
  left.defer(() => endAll(servers));
  const bridges = await Promise.all(bridgePorts.map(bridge));
  left.defer(() => endAll(bridges));
  const addresses = (those: readonly number[]) => those.map((port) => `127.0.0.1:${port}`);
  const behind = { fronts: addresses(serverPorts), bridges: addresses(bridgePorts), plainPort };
  const nginx = left.use(await startNginx(behind));
  const owned = left.move();
  return {
    nginx,
    servers,
    bridges,
    async endServer(place, signal) {
      const { child, ended } = servers[place] ?? assert.fail();
      child.kill(signal);
      const { code, stderr } = await ended;
      if (signal === "SIGTERM") assert.deepEqual([code, stderr], [0, ""]);
    },
    async startServer(place) {
      servers[place] = await serve(serverPorts[place] ?? 0);
    },
    killBridge: async (place) => bridges[place]?.kill(),
    async startBridge(place) {
      bridges[place] = await bridge(bridgePorts[place] ?? 0);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** As whoever rolls out a new version does, or a crash: ends the server in that place, waits until it is gone, starts it and waits until it is ready. */
export async function restart(
  fleet: Fleet,
  place: number,
  signal: "SIGTERM" | "SIGKILL" = "SIGTERM",
): Promise<void> {
  const { opsAddress } = fleet.servers[place] ?? assert.fail();
  // Until calls come to it, since it was started.
  while (Object.keys(countsOf(await scrape(opsAddress), "sentiment_requests_total")).length === 0)
    await sleep(50);
  await fleet.endServer(place, signal);
  await fleet.startServer(place);
}

async function endAll(those: readonly AsyncDisposable[]): Promise<void> {
  await Promise.all(those.map((one) => one[Symbol.asyncDispose]()));
}
