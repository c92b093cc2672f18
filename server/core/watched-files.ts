import { stat } from "node:fs/promises";
import type { Clock } from "./clock.js";
import { messageOf } from "./errors.js";

/** Told of what became of files that have changed. Must not throw. */
export interface FilesReport<T> {
  /** They were read again. */
  readonly reread: (made: T) => void;
  /** They cannot be used: what was read last stays. Once for each change. */
  readonly broken: (error: unknown) => void;
}

/** What was made of files. */
export interface Watched<T> extends Disposable {
  /** As of the last reading that came to something. */
  readonly latest: T;
}

/** Looked at by time, not by fs.watch: that misses files that are replaced, and those behind a mount. */
const LOOK_EVERY_MS = 1000;

/**
 * What `read` makes of files, made anew when one of them changes; looks once a second until disposed. Files that belong together may be seen
 * half replaced: what cannot be used is read again at each look, until it can. Throws what `read` throws, at the start.
 */
export async function watchFiles<T>(
  paths: readonly string[],
  read: () => Promise<T>,
  clock: Clock,
  report: FilesReport<T>,
): Promise<Watched<T>> {
  // Before the reading: a change in between is then noticed, as a change.
  let seen = await stateOf(paths);
  let latest = await read();
  let isBroken = false;
  let closed = false;
  let callOff = () => {};

  const look = async () => {
    const state = await stateOf(paths);
    const isNew = state !== seen;
    if (!isNew && !isBroken) return;
    seen = state;
    try {
      latest = await read();
    } catch (error) {
      isBroken = true;
      if (isNew) report.broken(error);
      return;
    }
    isBroken = false;
    report.reread(latest);
  };
  const lookLater = () => {
    if (closed) return;
    callOff = clock.after(LOOK_EVERY_MS, () => void look().finally(lookLater));
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

const stateOf = async (paths: readonly string[]): Promise<string> =>
  (await Promise.all(paths.map(stateOfFile))).join(";");

/** Differs when the file does. Never rejects: a file that cannot be looked at is a state too. */
async function stateOfFile(path: string): Promise<string> {
  try {
    const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [ino, size, mtimeNs, ctimeNs].join();
  } catch (error) {
    return messageOf(error);
  }
}
