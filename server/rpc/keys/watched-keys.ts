import { stat } from "node:fs/promises";
import type { Clock } from "../../core/clock.js";
import { messageOf } from "../../core/errors.js";
import { readKeyFile } from "./key-file.js";
import { type Keys, keysOf } from "./keys.js";

/** Told of what became of a file that has changed. */
export interface KeysReport {
  /** It was read again, and has so many entries. */
  readonly reread: (entries: number) => void;
  /** It cannot be used: the keys read last stay. */
  readonly broken: (error: unknown) => void;
}

/** Looked at by time, not by fs.watch: that misses files that are replaced, and those behind a mount. */
const LOOK_EVERY_MS = 1000;

/**
 * The keys of a file, read again when it changes; looks once a second until disposed. Throws StartupError for a file that
 * cannot be used at the start.
 */
export async function watchKeys(
  path: string,
  clock: Clock,
  report: KeysReport,
  nowMs: () => number = Date.now,
): Promise<Keys & Disposable> {
  // Before the reading: a change in between is then noticed, as a change.
  let seen = await stateOf(path);
  let keys = keysOf(await readKeyFile(path), nowMs);
  let closed = false;
  let callOff = () => {};

  const look = async () => {
    const state = await stateOf(path);
    if (state === seen) return;
    seen = state;
    const entries = await readKeyFile(path);
    keys = keysOf(entries, nowMs);
    report.reread(entries.length);
  };
  const lookLater = () => {
    if (closed) return;
    callOff = clock.after(LOOK_EVERY_MS, () => {
      look().catch(report.broken).finally(lookLater);
    });
  };
  lookLater();

  return {
    holderOf: (key) => keys.holderOf(key),
    [Symbol.dispose]() {
      closed = true;
      callOff();
    },
  };
}

/** Differs when the file does. Never rejects: a file that cannot be looked at is a state too. */
async function stateOf(path: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [ino, size, mtimeNs, ctimeNs].join();
  } catch (error) {
    return messageOf(error);
  }
}
