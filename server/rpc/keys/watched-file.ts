import { stat } from "node:fs/promises";
import type { Clock } from "../../core/clock.js";
import { messageOf } from "../../core/errors.js";

/** Told of what became of a file that has changed. */
export interface FileReport<T> {
  /** It was read again. */
  readonly reread: (value: T) => void;
  /** It cannot be used: what was read last stays. */
  readonly broken: (error: unknown) => void;
}

/** Looked at by time, not by fs.watch: that misses files that are replaced, and those behind a mount. */
const LOOK_EVERY_MS = 1000;

/**
 * What `read` makes of a file, made anew when the file changes; looks once a second until disposed. Throws what `read` throws
 * at the start.
 */
export async function watchFile<T>(
  path: string,
  read: (path: string) => Promise<T>,
  clock: Clock,
  report: FileReport<T>,
): Promise<{ readonly latest: T } & Disposable> {
  // Before the reading: a change in between is then noticed, as a change.
  let seen = await stateOf(path);
  let latest = await read(path);
  let closed = false;
  let callOff = () => {};

  const look = async () => {
    const state = await stateOf(path);
    if (state === seen) return;
    seen = state;
    latest = await read(path);
    report.reread(latest);
  };
  const lookLater = () => {
    if (closed) return;
    callOff = clock.after(LOOK_EVERY_MS, () => {
      look().catch(report.broken).finally(lookLater);
    });
  };
  lookLater();

  return {
    get latest() {
      return latest;
    },
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
