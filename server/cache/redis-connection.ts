import { createHash } from "node:crypto";
import type { Clock } from "../core/clock.js";
import type { RedisTarget } from "./redis-url.js";

/** In Lua, for Redis to run as one step. */
export interface Script {
  readonly lua: string;
  readonly sha: string;
}

export const scriptOf = (lua: string): Script => ({
  lua,
  sha: createHash("sha1").update(lua).digest("hex"),
});

/** The little of Redis that is used here. All reject when the connection is closed, and may never answer while it is open. */
export interface RedisConnection {
  /** One a key, in their order; null: nothing there, or no string. */
  get(keys: readonly string[]): Promise<readonly (Uint8Array | null)[]>;
  /** `ttlMs`: milliseconds that it is kept, whole. */
  set(key: string, bytes: Uint8Array, ttlMs: number): Promise<unknown>;
  ping(): Promise<unknown>;
  /** Keys that match the glob, in pages; each that was there all the time at least once. */
  scan(pattern: string): AsyncIterable<readonly string[]>;
  /** Resolves with how many there were. */
  unlink(keys: readonly string[]): Promise<number>;
  /** What the script answers, which may be anything. It may use that one key alone. */
  run(script: Script, key: string, args: readonly string[]): Promise<unknown>;
  /** At once: whatever is under way rejects. */
  close(): void;
}

/** Makes a new connection, or rejects, within a few seconds. `gone` is called when it breaks, maybe more than once. */
export type ConnectRedis = (gone: (error: unknown) => void) => Promise<RedisConnection>;

/** For TCP and TLS, and for the log-in that follows. */
const STEP_MS = 1000;
const OPEN_MS = 3 * STEP_MS;
const PAGE = 1000;
/** RESP's type of what GET and MGET answer; the client makes text of it unless told otherwise. */
const AS_BYTES = { 36: Buffer } as const;

/** What all kinds of clients have. */
interface Closable {
  readonly isOpen: boolean;
  destroy(): void;
}

/**
 * Connections by the client inside @keyv/redis, not through keyv: keyv's values are text (its serialization makes base64 of bytes), its
 * batches are transactions, and its `get` connects by itself and may wait for ever (jaredwray/keyv#1798). Nor do they mend themselves:
 * a client that reconnects keeps what it was asked meanwhile, and one behind a cut network does not notice for minutes.
 */
export function connectTo(target: RedisTarget, clock: Clock): ConnectRedis {
  // A sixth of the time that all modules take to load, which a server without Redis need not wait for.
  const loaded = import("@keyv/redis");
  return async (gone) => {
    const client = await loaded;
    switch (target.kind) {
      case "single":
        return await single(client, target, firstOf(target.nodes), clock, gone);
      case "cluster":
        return await cluster(client, target, gone);
      case "sentinel": {
        const node = await askSentinels(client, target, clock);
        return await single(client, target, node, clock, gone);
      }
    }
  };
}

type RedisClient = typeof import("@keyv/redis");

const socketOf = ({ tls }: RedisTarget, node?: RedisTarget["nodes"][number]) => ({
  ...node,
  ...(tls && { tls: true as const }),
  connectTimeout: STEP_MS,
  reconnectStrategy: false as const,
});

/** Nothing waits for a connection, and no command is sent that rights could be missing for. */
const LEAN = { disableOfflineQueue: true, disableClientInfo: true } as const;

async function single(
  { createClient }: RedisClient,
  target: RedisTarget,
  node: RedisTarget["nodes"][number],
  clock: Clock,
  gone: (error: unknown) => void,
): Promise<RedisConnection> {
  const { credentials, database } = target;
  const client = createClient({
    ...LEAN,
    ...credentials,
    database,
    socket: socketOf(target, node),
  });
  client.on("error", gone);
  await open(client, clock);
  const binary = client.withTypeMapping(AS_BYTES);
  return {
    get: (keys) => binary.mGet([...keys]),
    set: (key, bytes, ttlMs) => client.set(key, bufferOf(bytes), { PX: ttlMs }),
    ping: () => client.ping(),
    scan: (pattern) => client.scanIterator({ MATCH: pattern, COUNT: PAGE }),
    unlink: (keys) => client.unlink([...keys]),
    run: (script, key, args) => run(client, script, key, args),
    close: () => end(client),
  };
}

/** Rejects when it takes too long, a log-in included: a server that is frozen still accepts connections. */
async function open(client: Closable & { connect(): Promise<unknown> }, clock: Clock) {
  const cancel = clock.after(OPEN_MS, () => end(client));
  try {
    await client.connect();
  } finally {
    cancel();
  }
}

function end(client: Closable): void {
  if (client.isOpen) client.destroy();
}

/**
 * The server that a Sentinel names now. node-redis has Sentinel support of its own, which prints errors, retries for ever and leaves
 * rejections to nobody. Sentinels close the connections of a server that is no longer it, so that this is asked again.
 */
async function askSentinels(
  { createClient }: RedisClient,
  target: RedisTarget,
  clock: Clock,
): Promise<RedisTarget["nodes"][number]> {
  let last: unknown;
  for (const node of target.nodes) {
    const sentinel = createClient({ ...LEAN, socket: socketOf(target, node) });
    sentinel.on("error", (error) => {
      last = error;
    });
    const cancel = clock.after(OPEN_MS, () => end(sentinel));
    try {
      await sentinel.connect();
      const answer = await sentinel.sendCommand([
        "SENTINEL",
        "GET-MASTER-ADDR-BY-NAME",
        target.masterId,
      ]);
      const [host, port] = Array.isArray(answer) ? answer.map(String) : [];
      if (host !== undefined) return { host, port: Number(port) };
      last = new Error(`the Sentinel at ${node.host}:${node.port} knows no ${target.masterId}`);
    } catch (error) {
      last = error;
    } finally {
      cancel();
      end(sentinel);
    }
  }
  throw last;
}

async function cluster(
  { createCluster }: RedisClient,
  target: RedisTarget,
  gone: (error: unknown) => void,
): Promise<RedisConnection> {
  const nodes = createCluster({
    // A time limit for those that are only asked for the others.
    rootNodes: target.nodes.map((node) => ({
      socket: { ...socketOf(target, node), socketTimeout: STEP_MS },
    })),
    defaults: { ...LEAN, ...target.credentials, socket: socketOf(target) },
    // Each is connected to at its first command; else one that is dead would keep the others from being used.
    minimizeConnections: true,
  });
  nodes.on("error", gone).on("node-error", gone);
  await nodes.connect();
  const binary = nodes.withTypeMapping(AS_BYTES);
  const each = <T>(keys: readonly string[], ask: (key: string) => Promise<T>) =>
    Promise.all(keys.map(ask));
  return {
    // Keys of different slots cannot be in one command; what one node is asked is sent together all the same.
    get: async (keys) => (await each(keys, (key) => binary.mGet([key]))).flat(),
    set: (key, bytes, ttlMs) => nodes.set(key, bufferOf(bytes), { PX: ttlMs }),
    ping: () => nodes.sendCommand(undefined, true, ["PING"]),
    async *scan(pattern) {
      for (const master of nodes.masters) {
        const client = await nodes.nodeClient(master);
        yield* client.scanIterator({ MATCH: pattern, COUNT: PAGE });
      }
    },
    unlink: async (keys) =>
      (await each(keys, (key) => nodes.unlink(key))).reduce((sum, count) => sum + count, 0),
    run: (script, key, args) => run(nodes, script, key, args),
    close() {
      for (const { client, connectPromise } of nodes.masters) {
        // One that is destroyed while it connects would stay.
        void Promise.resolve(connectPromise ?? client).then(
          (ready) => ready && end(ready),
          () => {},
        );
      }
    },
  };
}

interface Runner {
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  eval(lua: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

/** A Redis that does not know the script yet, or no longer, is sent all of it. */
async function run(client: Runner, { lua, sha }: Script, key: string, args: readonly string[]) {
  const options = { keys: [key], arguments: [...args] };
  try {
    return await client.evalSha(sha, options);
  } catch (error) {
    if (!String(error).includes("NOSCRIPT")) throw error;
    return await client.eval(lua, options);
  }
}

function firstOf<T>([first]: readonly T[]): T {
  if (first === undefined) throw new RangeError("nothing in the list");
  return first;
}

const bufferOf = ({ buffer, byteOffset, byteLength }: Uint8Array) =>
  Buffer.from(buffer, byteOffset, byteLength);
