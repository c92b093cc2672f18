import type { Clock } from "../core/clock.js";
import type { ServedVersion } from "./served-version.js";

export interface MemoryLimits {
  /** Of the process, in bytes. */
  readonly processBytes: number;
  /** Of the files of the loaded models, in bytes: what they take in memory grows with that. */
  readonly modelBytes: number;
}

/** What the process takes, in bytes. */
export interface Resident {
  /** At most, which is known at once. */
  atMost(): number;
  exactly(): Promise<number>;
}

/** Why a model was unloaded. */
export type UnloadCause = "memory" | "cache_size" | "admin";

const CHECK_MS = 5000;
/** Of the process's limit. */
const MOST_SHARE = 0.8;
/** With more of the limit than this the process gives back what it can in quiet times: what scales by memory must see that they are quiet. */
const SCARCE_SHARE = 1 / 3;
/** A model that was used more lately is in use. */
const IDLE_MS = 60_000;

/** What the manager does to its surroundings. */
export interface MemoryActs {
  /** Drops some of the answers in memory. Must not throw. */
  readonly trimCaches: () => void;
  /** At each check: whether memory is worth more than calls that are quick at once after quiet times. Must not throw. */
  readonly giveBackWhenQuiet: (gives: boolean) => void;
  readonly unloaded: (version: ServedVersion, cause: UnloadCause) => void;
}

/**
 * Unloads the model that was used longest ago, and trims the caches, while the process takes over 80 % of its memory; unloads also before
 * another model is loaded that would not fit beside it. One at a time: what it gives back shows at the next check.
 */
export class MemoryManager implements Disposable {
  readonly #limits: MemoryLimits;
  readonly #versions: () => readonly ServedVersion[];
  readonly #resident: Resident;
  readonly #clock: Clock;
  readonly #acts: MemoryActs;
  #cancel = () => {};
  #closed = false;

  constructor(
    limits: MemoryLimits,
    versions: () => readonly ServedVersion[],
    resident: Resident,
    clock: Clock,
    acts: MemoryActs,
  ) {
    this.#limits = limits;
    this.#versions = versions;
    this.#resident = resident;
    this.#clock = clock;
    this.#acts = acts;
    this.#checkLater();
  }

  /** Before `version` is loaded: makes room for it among the models, as far as others are idle. */
  async makeRoom(version: ServedVersion): Promise<void> {
    const others = this.#versions().filter((one) => one !== version && one.isLoaded);
    let bytes = others.reduce((sum, { id }) => sum + id.bytes, version.id.bytes);
    while (bytes > this.#limits.modelBytes) {
      // Not one that is being loaded: it may be making room as well, and both would wait for each other.
      const oldest = oldestOf(others.filter((one) => one.isIdle));
      if (oldest === undefined) return;
      bytes -= oldest.id.bytes;
      await this.#unload(oldest, "cache_size");
    }
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    this.#cancel();
  }

  #checkLater(): void {
    if (!this.#closed) this.#cancel = this.#clock.after(CHECK_MS, () => void this.#check());
  }

  async #check(): Promise<void> {
    const scarce = SCARCE_SHARE * this.#limits.processBytes;
    this.#acts.giveBackWhenQuiet(this.#resident.atMost() > scarce);
    if (await this.#isOver()) {
      this.#acts.trimCaches();
      const now = this.#clock.now();
      const idle = this.#versions().filter((one) => one.isIdle && now - one.lastUsedMs >= IDLE_MS);
      const oldest = oldestOf(idle);
      if (oldest !== undefined) await this.#unload(oldest, "memory");
    }
    this.#checkLater();
  }

  async #isOver(): Promise<boolean> {
    const most = MOST_SHARE * this.#limits.processBytes;
    return this.#resident.atMost() > most && (await this.#resident.exactly()) > most;
  }

  /** At once or not at all: a call that is waited for may itself wait for what room is made for. */
  async #unload(version: ServedVersion, cause: UnloadCause): Promise<void> {
    // Where it could not be told, it is unloaded here all the same.
    const unloaded = await version.unloadIfIdle().catch(() => true);
    if (unloaded) this.#acts.unloaded(version, cause);
  }
}

function oldestOf(versions: readonly ServedVersion[]): ServedVersion | undefined {
  return versions.reduce<ServedVersion | undefined>(
    (oldest, one) => (oldest && oldest.lastUsedMs <= one.lastUsedMs ? oldest : one),
    undefined,
  );
}
