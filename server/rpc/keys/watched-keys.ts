import type { Clock } from "../../core/clock.js";
import { type FilesReport, watchFiles } from "../../core/watched-files.js";
import { readKeyFile } from "./key-file.js";
import { keysOf, knownKeys, type ListedKeys } from "./keys.js";

/**
 * The keys of a file, read again when it changes, until disposed; `report` is told how many they are. Throws StartupError for a file that
 * cannot be used at the start.
 */
export async function watchKeys(
  path: string,
  clock: Clock,
  report: FilesReport<number>,
  nowMs: () => number = Date.now,
): Promise<ListedKeys & Disposable> {
  const file = await watchFiles([path], async () => knownKeys(await readKeyFile(path)), clock, {
    ...report,
    reread: (known) => report.reread(known.size),
  });
  return {
    ...keysOf(() => file.latest, nowMs),
    [Symbol.dispose]: () => file[Symbol.dispose](),
  };
}
