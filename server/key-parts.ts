import { type Config, isOpen } from "./config.js";
import type { Clock } from "./core/clock.js";
import type { Log } from "./observe/log.js";
import { fileKeySet, remoteKeySet } from "./rpc/keys/key-set.js";
import type { Keys } from "./rpc/keys/keys.js";
import { keysOrTokens, tokenHolders } from "./rpc/keys/tokens.js";
import { watchKeys } from "./rpc/keys/watched-keys.js";

/** Who may call: by the key file, by tokens, or by both; undefined: anybody. */
export async function openKeys(
  { apiKeysFile, jwt }: Config,
  clock: Clock,
  log: Log,
): Promise<(Keys & Disposable) | undefined> {
  if (isOpen({ apiKeysFile, jwt })) return undefined;
  using opened = new DisposableStack();
  const listed =
    apiKeysFile === undefined ? undefined : opened.use(await openKeyFile(apiKeysFile, clock, log));
  const tokens = jwt && opened.use(await openTokens(jwt, clock, log));
  const owned = opened.move();
  return {
    ...keysOrTokens(listed, tokens),
    [Symbol.dispose]: () => owned.dispose(),
  };
}

function openKeyFile(path: string, clock: Clock, log: Log) {
  const stale = "the key file has changed and cannot be used: the keys read last stay";
  return watchKeys(path, clock, {
    reread: (entries) => log.info({ entries }, "the key file was read again"),
    broken: (error) => log.error({ err: error }, stale),
  });
}

async function openTokens(
  { keySet, ...asked }: NonNullable<Config["jwt"]>,
  clock: Clock,
  log: Log,
): Promise<Keys & Disposable> {
  const stale = "the key set of JWT_JWKS cannot be had: the keys had last stay";
  const report = {
    reread: (keys: number) => log.info({ keys }, "the key set of JWT_JWKS has changed"),
    broken: (error: unknown) => log.error({ err: error }, stale),
  };
  const set =
    typeof keySet === "string"
      ? await fileKeySet(keySet, clock, report)
      : await remoteKeySet(keySet, clock, report);
  // For who looks for the cause: strangers could fill the log with it.
  const refused = (why: string) => log.debug({ why }, "a token was refused");
  return {
    ...tokenHolders(set.keyFor, asked, refused),
    [Symbol.dispose]: () => set[Symbol.dispose](),
  };
}
