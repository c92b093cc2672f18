import { GARBAGE, type Garble } from "../../test/support/garbage.js";
import { type RedisServer, startRedis } from "../../test/support/redis-server.js";
import { type SlowProxy, startSlowProxy } from "../../test/support/slow-proxy.js";
import { startProxy } from "../../test/support/toxiproxy.js";

const SLOW_MS = 300;
const TURN_MS = 700;
const SPOIL_MS = 1000;

/** A fault that is about to begin. */
export interface Scene {
  /** What the server under test gets as REDIS_URL. */
  readonly url: string;
  readonly strike: () => Promise<unknown>;
  /** Resolves when Redis can answer again. */
  readonly mend: () => Promise<unknown>;
}

/** What it starts goes with `left`. */
type Prepare = (redis: RedisServer, left: AsyncDisposableStack) => Promise<Scene>;

const urlOf = ({ port }: SlowProxy) => `redis://127.0.0.1:${port}`;
const nothing = async () => {};

export const FAULTS: ReadonlyMap<string, Prepare> = new Map<string, Prepare>([
  ["healthy", async ({ url }) => ({ url, strike: nothing, mend: nothing })],
  [
    "killed",
    async ({ url, port, kill }, left) => ({
      url,
      strike: kill,
      mend: async () => left.use(await startRedis({ port })),
    }),
  ],
  [
    "frozen",
    async ({ url, freeze, thaw }) => ({
      url,
      strike: async () => freeze(),
      mend: async () => thaw(),
    }),
  ],
  [
    "slow",
    async ({ port }, left) => {
      const proxy = left.use(await startProxy(port));
      return {
        url: urlOf(proxy),
        strike: () => proxy.delay(SLOW_MS),
        mend: () => proxy.delay(0),
      };
    },
  ],
  [
    "full",
    async ({ url, ask }) => ({
      url,
      strike: () => ask("CONFIG", "SET", "maxmemory", "1"),
      mend: () => ask("CONFIG", "SET", "maxmemory", "0"),
    }),
  ],
  [
    "garbage",
    async ({ port }, left) => {
      const proxy = left.use(await startSlowProxy(port));
      return {
        url: urlOf(proxy),
        strike: async () => proxy.garble(allInTurn()),
        mend: async () => proxy.garble(undefined),
      };
    },
  ],
  [
    "spoilt",
    async ({ url, ask }) => {
      const spoil = () => ask("EVAL", SPOIL, "0");
      let timer: NodeJS.Timeout | undefined;
      return {
        url,
        strike: async () => {
          await spoil();
          timer = setInterval(() => void spoil(), SPOIL_MS);
        },
        mend: async () => clearInterval(timer),
      };
    },
  ],
]);

function allInTurn(): Garble {
  const all = [...GARBAGE.values()].map((begin) => begin());
  const startedMs = performance.now();
  return (answer) => {
    const turn = Math.floor((performance.now() - startedMs) / TURN_MS);
    return all[turn % all.length]?.(answer) ?? answer;
  };
}

/** Every value becomes noise, half of itself, another key's, itself with a byte changed, or a list. */
const SPOIL = `
local before = "none"
for place, name in ipairs(redis.call("KEYS", "sap:v1:*")) do
  local value = redis.call("TYPE", name).ok == "string" and redis.call("GET", name) or "none"
  local kind = place % 5
  if kind == 0 then
    redis.call("SET", name, string.rep("\\255\\1", 21))
  elseif kind == 1 then
    redis.call("SET", name, string.sub(value, 1, #value / 2))
  elseif kind == 2 then
    redis.call("SET", name, before)
  elseif kind == 3 then
    redis.call("SET", name, string.sub(value, 1, 9) .. "?" .. string.sub(value, 11))
  else
    redis.call("DEL", name)
    redis.call("RPUSH", name, value)
  end
  before = value
end
return "OK"
`;
