import type { Backend, BackendStatus } from "../backend/backend.js";
import {
  type ModelFiles,
  readModel,
  type VersionFile,
} from "../backend/repository/model-repository.js";
import { Singles } from "../batch/singles.js";
import { roomOf, type ServedModel } from "../classify/model.js";
import type { Lease, Models } from "../classify/models.js";
import type { ReadingThreads } from "../classify/reading-threads.js";
import type { Clock } from "../core/clock.js";
import { giveBackWhenQuiet } from "../core/collector.js";
import { StartupError } from "../core/errors.js";
import { shareOf } from "../core/share.js";
import type { Tier } from "../core/tiers.js";
import { loadTokenizer, type Tokenizer } from "../tokenize/tokenizer.js";
import { HeldModels } from "./held-models.js";
import { type MemoryLimits, MemoryManager, type Resident } from "./memory-manager.js";
import type { ModelEvents } from "./model-events.js";
import { type BatchSettings, ServedVersion } from "./served-version.js";
import { Shadow } from "./shadow.js";
import { VersionLease } from "./version-lease.js";

export interface TierModelsOptions {
  readonly repository: string;
  readonly batching: BatchSettings;
  /** Models are loaded at the start; else by the first call for them. */
  readonly loadsAhead: boolean;
  /** Where long texts are read; undefined: on the event loop, as the others are. */
  readonly readers: ReadingThreads | undefined;
  /** undefined: nothing is ever unloaded for want of memory. */
  readonly memory: MemoryLimits | undefined;
  readonly resident: Resident;
  /** Drops some of the answers in memory; for want of it. Must not throw. */
  readonly trimCaches: () => void;
}

/** What one tier serves now. */
interface Slot {
  readonly served: ServedVersion;
  readonly candidate: ServedVersion | undefined;
  readonly canaryShare: number;
  readonly shadow: Shadow | undefined;
  /** Keeps it in the reading threads. */
  readonly heldTokenizer: AsyncDisposable | undefined;
}

/** The models of a repository on a backend: leased to calls, replaced, unloaded for want of memory. */
export class TierModels implements Models, Disposable {
  readonly #slots = new Map<Tier, Slot>();
  readonly #backend: Backend;
  readonly #held: HeldModels;
  readonly #options: TierModelsOptions;
  readonly #clock: Clock;
  readonly #events: ModelEvents;
  readonly #memory: MemoryManager | undefined;
  readonly #singles = new Singles();
  /** Loads and unloads by name go one after the other. */
  #control: Promise<unknown> = Promise.resolve();

  constructor(backend: Backend, options: TierModelsOptions, clock: Clock, events: ModelEvents) {
    this.#backend = backend;
    this.#held = new HeldModels(backend);
    this.#options = options;
    this.#clock = clock;
    this.#events = events;
    this.#memory =
      options.memory &&
      new MemoryManager(options.memory, () => this.versions(), options.resident, clock, {
        trimCaches: options.trimCaches,
        giveBackWhenQuiet,
        unloaded: (one, cause) => events.unloaded(one.model, cause),
      });
  }

  /** Serves what the files describe; loads nothing yet. */
  async add(files: ModelFiles): Promise<void> {
    this.#slots.set(files.tier, await this.#slotOf(files));
  }

  /** All versions that calls may go to, candidates among them. */
  versions(): readonly ServedVersion[] {
    return [...this.#slots.values()].flatMap(({ served, candidate }) =>
      candidate === undefined ? [served] : [served, candidate],
    );
  }

  /** A call uses one of them. */
  get isInUse(): boolean {
    return this.versions().some((version) => version.isInUse);
  }

  backends(): readonly BackendStatus[] {
    return this.#backend.status();
  }

  list(): readonly ServedModel[] {
    return [...this.#slots.values()].map(({ served }) => served.model);
  }

  spacesOf(name: string): readonly string[] {
    const versions = this.versions().filter(({ model }) => model.name === name);
    return versions.map(({ model }) => model.space);
  }

  lease(tier: Tier, text: string): Lease | undefined {
    const slot = this.#slots.get(tier);
    if (slot === undefined) return undefined;
    const { served, candidate, canaryShare, shadow } = slot;
    const place = candidate === undefined ? 1 : shareOf(text);
    const wanted = place < canaryShare ? candidate : undefined;
    // Nobody else would load it. Calls do not wait for it.
    wanted?.ready().catch(() => {});
    const version = wanted?.model.isReady() ? wanted : served;
    if (canaryShare > 0) this.#events.routed(version.model);
    // Texts from the other end of the range: those of the canary have been answered by the candidate.
    const copied = shadow !== undefined && 1 - place <= shadow.share * (1 - canaryShare);
    return new VersionLease(version, copied && candidate ? { candidate, shadow } : undefined);
  }

  load(tier: Tier): Promise<ServedModel | undefined> {
    return this.#inTurn(async () => {
      const before = this.#slots.get(tier);
      if (before === undefined) return undefined;
      const slot = await this.#slotOf(await readModel(this.#options.repository, tier));
      // First the new ones, then the old ones: in between both answer.
      await Promise.all([slot.served.readyAnew(), slot.candidate?.readyAnew()]).catch(
        async (error) => {
          await this.#retire(slot, before);
          throw error;
        },
      );
      this.#slots.set(tier, slot);
      void this.#retire(before, slot);
      return slot.served.model;
    });
  }

  unload(tier: Tier): Promise<ServedModel | undefined> {
    return this.#inTurn(async () => {
      const slot = this.#slots.get(tier);
      if (slot === undefined) return undefined;
      const { served, candidate } = slot;
      await Promise.all(
        [served, ...(candidate ? [candidate] : [])].map(async (one) => {
          if (await one.unloadUnlessCalled()) this.#events.unloaded(one.model, "admin");
        }),
      );
      return slot.served.model;
    });
  }

  [Symbol.dispose](): void {
    this.#memory?.[Symbol.dispose]();
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#control.then(work);
    this.#control = done.catch(() => {});
    return done;
  }

  async #slotOf(files: ModelFiles): Promise<Slot> {
    const tokenizer = await loadTokenizer(files.tokenizerPath);
    if (tokenizer.digest !== files.tokenizerDigest) {
      throw new StartupError(
        `${files.tokenizerPath} has changed since it was hashed: load the model again, or restart the server`,
      );
    }
    if (roomOf({ ...files, tokenizer }) < 1) {
      throw new StartupError(
        `${files.tokenizerPath} puts so many special tokens around a text that max_length ${files.maxTokens} in config.pbtxt leaves no room for it: raise that, or bring the model's tokenizer back`,
      );
    }
    const heldTokenizer = await this.#options.readers?.load(tokenizer, files.tokenizerPath);
    const make = (file: VersionFile): ServedVersion =>
      this.#asBefore(files, file) ?? this.#versionOf(files, file, tokenizer);
    const candidate = files.tried && make(files.tried);
    const { canaryShare = 0, shadowShare = 0 } = files.candidate ?? {};
    return {
      served: make(files.served),
      candidate,
      canaryShare,
      shadow: candidate && shadowShare > 0 ? this.#shadowOf(candidate, shadowShare) : undefined,
      heldTokenizer,
    };
  }

  /** The version that is there already, unless something of it has changed. */
  #asBefore(files: ModelFiles, file: VersionFile): ServedVersion | undefined {
    const same = ({ id }: ServedVersion) =>
      id.name === files.name &&
      id.version === file.version &&
      id.digest === file.digest &&
      id.tokenizerDigest === files.tokenizerDigest &&
      settingsOf(id.parameters) === settingsOf(files.parameters);
    return this.versions().find(same);
  }

  #versionOf(files: ModelFiles, file: VersionFile, tokenizer: Tokenizer): ServedVersion {
    const version: ServedVersion = new ServedVersion(
      files,
      file,
      tokenizer,
      this.#options.batching,
      {
        backend: this.#backend,
        held: this.#held,
        clock: this.#clock,
        readers: this.#options.readers,
        singles: this.#singles,
        loadsAhead: this.#options.loadsAhead,
        beforeLoad: async () => this.#memory?.makeRoom(version),
        onLoaded: (tookMs) => this.#events.loaded(version.model, tookMs),
        events: this.#events.of(files.name),
      },
    );
    return version;
  }

  #shadowOf(candidate: ServedVersion, share: number): Shadow {
    return new Shadow(
      candidate,
      share,
      this.#clock,
      (outcome, distance) => this.#events.compared(candidate.model, outcome, distance),
      (compared, flips) => this.#events.disagrees(candidate.model, compared, flips),
    );
  }

  /** Unloads what the slot that is kept does not serve, once its calls are done. */
  async #retire(gone: Slot, staying: Slot): Promise<void> {
    const kept = [staying.served, staying.candidate];
    for (const old of [gone.served, gone.candidate]) {
      if (old !== undefined && !kept.includes(old)) await old.unload().catch(() => {});
    }
    await gone.heldTokenizer?.[Symbol.asyncDispose]();
  }
}

/** Parameters that change nothing about a version itself. */
const ROUTING = new Set(["candidate_version", "canary_share", "shadow_share"]);

const settingsOf = (parameters: Readonly<Record<string, string>>): string =>
  JSON.stringify(
    Object.entries(parameters)
      .filter(([key]) => !ROUTING.has(key))
      .sort(),
  );
