import { readFile } from "node:fs/promises";
import { createLocalJWKSet, createRemoteJWKSet, errors, type JWTVerifyGetKey } from "jose";
import type { Clock } from "../../core/clock.js";
import { messageOf, StartupError } from "../../core/errors.js";
import { type FilesReport, watchFiles } from "../../core/watched-files.js";

/** The public keys of who makes tokens: a JSON Web Key Set. */
export interface KeySet extends Disposable {
  /** The key that a token's header names. Throws jose's errors. */
  readonly keyFor: JWTVerifyGetKey;
}

/** A key that is taken out of the set is refused that much later at most. */
const FETCH_EVERY_MS = 300_000;
/** Between two tries for keys that are not in the set: strangers may name as many as they like. */
const COOL_DOWN_MS = 30_000;
const FETCH_LIMIT_MS = 5000;

/**
 * The key set of a file, read again when it changes, until disposed; `report` is told how many keys it has. Throws StartupError for a file
 * that cannot be used at the start.
 */
export async function fileKeySet(
  path: string,
  clock: Clock,
  report: FilesReport<number>,
): Promise<KeySet> {
  const file = await watchFiles([path], () => readKeySet(path), clock, {
    ...report,
    reread: (set) => report.reread(set.jwks().keys.length),
  });
  return {
    keyFor: (header, token) => file.latest(header, token),
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}

async function readKeySet(path: string) {
  try {
    return createLocalJWKSet(JSON.parse(await readFile(path, "utf8")));
  } catch (error) {
    // The parser's own message quotes the text, which may be another file's.
    const why = error instanceof SyntaxError ? "it is not JSON" : messageOf(error);
    throw unusable(path, why, error);
  }
}

/**
 * The key set of a URL, fetched every five minutes until disposed, and for a key that is not in it, though not more often than
 * every 30 seconds. Where that fails the keys fetched last stay; `report` is told of both. Throws StartupError when it fails at the start.
 */
export async function remoteKeySet(
  url: URL,
  clock: Clock,
  report: FilesReport<number>,
): Promise<KeySet> {
  // jose's own limits are by its own clock, drop all keys while the issuer is down, and do not bound tries that fail.
  const remote = createRemoteJWKSet(url, {
    timeoutDuration: FETCH_LIMIT_MS,
    cooldownDuration: Number.POSITIVE_INFINITY,
    cacheMaxAge: Number.POSITIVE_INFINITY,
  });
  await remote.reload().catch((error: unknown) => {
    throw unusable(`${url.origin}${url.pathname}`, whyOf(error), error);
  });
  let triedMs = clock.now();
  let closed = false;
  let callOff = () => {};

  let trying: Promise<void> | undefined;

  const tryOnce = async () => {
    triedMs = clock.now();
    const before = JSON.stringify(remote.jwks());
    await remote.reload();
    const now = remote.jwks();
    if (JSON.stringify(now) !== before) report.reread(now?.keys.length ?? 0);
  };
  /** Never rejects. Those who ask while it is at work share one try. */
  const fetchAgain = () => {
    trying ??= tryOnce()
      .catch(report.broken)
      .finally(() => {
        trying = undefined;
      });
    return trying;
  };
  const fetchLater = () => {
    if (closed) return;
    callOff = clock.after(FETCH_EVERY_MS, () => void fetchAgain().then(fetchLater));
  };
  fetchLater();

  return {
    async keyFor(header, token) {
      try {
        return await remote(header, token);
      } catch (error) {
        const isCooling = trying === undefined && clock.now() - triedMs < COOL_DOWN_MS;
        if (!(error instanceof errors.JWKSNoMatchingKey) || isCooling) throw error;
        await fetchAgain();
        return await remote(header, token);
      }
    },
    [Symbol.dispose]() {
      closed = true;
      callOff();
    },
  };
}

const unusable = (where: string, why: string, cause: unknown) =>
  new StartupError(
    `JWT_JWKS: ${where} cannot be used (${why}): name a JSON Web Key Set, as {"keys": [...]}`,
    cause,
  );

/** fetch says only that it failed; its cause says why. */
function whyOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause === undefined ? messageOf(error) : `${messageOf(error)}: ${causeOf(cause)}`;
}

/** Of several addresses that were tried there is one error without a message. */
const causeOf = (cause: unknown): string =>
  messageOf(cause) || String((cause as NodeJS.ErrnoException).code);
