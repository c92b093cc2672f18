import type { Codec } from "./cache/cache.js";
import { type Filed, readCacheFile, removeCacheFile, writeCacheFile } from "./cache/cache-file.js";
import type { MemoryCache } from "./cache/memory.js";
import { orAbort } from "./core/abort.js";
import type { Clock } from "./core/clock.js";
import { messageOf } from "./core/errors.js";
import { turns } from "./core/turns.js";
import type { Log } from "./observe/log.js";

/** Values of each cache that are kept. */
const MOST_VALUES = 100_000;
/** The start waits no longer for the file. */
const RESTORE_MS = 1000;
/** Nor does the drain. */
const SAVE_MS = 5000;

export interface CacheKeepingOptions<Value> {
  readonly file: string;
  readonly codec: Codec<Value>;
  /** By the name that they have in the file. */
  readonly caches: ReadonlyMap<string, MemoryCache<Value>>;
  readonly maxAgeMs: number;
}

/** What caches in memory hold, from one run of the process to the next. Nothing of it ever fails the server: the log tells. */
export class CacheKeeping<Value> {
  readonly #options: CacheKeepingOptions<Value>;
  readonly #clock: Clock;
  readonly #log: Log;
  /** Of the restoring. */
  readonly #ended = new AbortController();

  constructor(options: CacheKeepingOptions<Value>, clock: Clock, log: Log) {
    this.#options = options;
    this.#clock = clock;
    this.#log = log;
  }

  /** Puts into the caches what the file has for spaces that are served. Resolves after a second at the latest, and goes on then. */
  async restore(isServed: (space: string) => boolean): Promise<void> {
    let cancel = () => {};
    const limit = new Promise<void>((resolve) => {
      cancel = this.#clock.after(RESTORE_MS, resolve);
    });
    await Promise.race([this.#read(isServed), limit]);
    cancel();
  }

  /** Writes the values used most into the file, unless there are none. Restores nothing more. */
  async save(): Promise<void> {
    this.#ended.abort();
    const { file, caches, codec } = this.#options;
    const values: Filed<Value>[] = [];
    for (const [name, cache] of caches) {
      for (const kept of cache.hottest(MOST_VALUES)) values.push({ cache: name, kept });
    }
    if (values.length === 0) return;
    const late = new AbortController();
    const cancel = this.#clock.after(SAVE_MS, () =>
      late.abort(new Error(`not written within ${SAVE_MS / 1000} s`)),
    );
    try {
      const write = writeCacheFile(file, values, codec, Date.now(), late.signal);
      const kept = await orAbort(write, late.signal, () => {});
      this.#log.info({ file, kept }, "answers kept for the next start");
    } catch (error) {
      this.#log.error({ file, err: error }, "answers could not be kept for the next start");
    } finally {
      cancel();
    }
  }

  /** Removes the file and restores nothing more: what is cleared must not come back. */
  async forget(): Promise<void> {
    this.#ended.abort();
    const { file } = this.#options;
    await removeCacheFile(file).catch((error: unknown) =>
      this.#log.error({ file, err: error }, "the cache file could not be removed"),
    );
  }

  async #read(isServed: (space: string) => boolean): Promise<void> {
    const { file, caches, codec, maxAgeMs } = this.#options;
    const { signal } = this.#ended;
    const startedMs = this.#clock.now();
    const tally = { restored: 0, notServed: 0, left: 0 };
    const take = ({ cache, kept }: Filed<Value>) => {
      signal.throwIfAborted();
      if (!isServed(kept.key.space)) tally.notServed++;
      else if (caches.get(cache)?.restore(kept)) tally.restored++;
      else tally.left++;
    };
    const turn = turns(signal, this.#clock);
    try {
      const reading = { codec, nowMs: Date.now(), maxAgeMs, take, turn };
      const damaged = await readCacheFile(file, reading);
      const ms = Math.round(this.#clock.now() - startedMs);
      const level = damaged > 0 ? "warn" : "info";
      this.#log[level]({ file, ...tally, damaged, ms }, "answers of the run before");
    } catch (error) {
      if (signal.aborted || (error as NodeJS.ErrnoException).code === "ENOENT") return;
      this.#log.warn({ file, ...tally, why: messageOf(error) }, "the cache file is not used");
    }
  }
}
