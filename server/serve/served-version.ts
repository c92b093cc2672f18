import { type Backend, ModelError, type ModelVersion, versionText } from "../backend/backend.js";
import { padded, rowsOf } from "../backend/padding.js";
import type { ModelFiles, VersionFile } from "../backend/repository/model-repository.js";
import { Batcher, type BatcherOptions } from "../batch/batcher.js";
import type { BatchEvents } from "../batch/events.js";
import type { BatchLimits } from "../batch/plan.js";
import type { Singles } from "../batch/singles.js";
import { spaceOf } from "../classify/cache-keys.js";
import type { ReadingEvents } from "../classify/events.js";
import type { ServedModel } from "../classify/model.js";
import type { ReadingThreads } from "../classify/reading-threads.js";
import type { Clock } from "../core/clock.js";
import { messageOf, ServiceError, StartupError } from "../core/errors.js";
import type { Tokenizer } from "../tokenize/tokenizer.js";
import { CallsUnderWay } from "./calls-under-way.js";
import type { HeldModels } from "./held-models.js";
import { inferred, queued } from "./traced.js";

/** What of the batcher is a matter of settings. */
export interface BatchSettings extends Pick<BatcherOptions, "policy" | "maxWaitMs"> {
  readonly limits: Omit<BatchLimits, "maxPaddingRatio" | "paddingCost" | "worthwhileTokens">;
}

const MAX_QUEUED_ROWS = 10_000;
/** Of a load that failed by a fault of the files, which a try with each call would have hashed anew, ahead of all inference. */
const FAULT_REST_MS = 30_000;

/** What happens to the texts and rows of a model; for metrics. */
export interface VersionEvents extends ReadingEvents, BatchEvents {}

/** What a version needs of its surroundings. */
export interface ServedVersionParts {
  readonly backend: Backend;
  /** Of that backend. */
  readonly held: HeldModels;
  readonly clock: Clock;
  readonly readers: ReadingThreads | undefined;
  readonly singles: Singles;
  /** It is loaded at the start; else by the first call. */
  readonly loadsAhead: boolean;
  /** Called before it loads: makes room for it. */
  readonly beforeLoad: () => Promise<void>;
  readonly onLoaded: (tookMs: number) => void;
  readonly events: VersionEvents;
}

/** One version of a tier's model with tokenizer, batcher and backend, loaded when it is needed. */
export class ServedVersion {
  readonly model: ServedModel;
  /** What the backend knows it by. */
  readonly id: ModelVersion;
  /** When a call last ended, or it was loaded, on the server's clock. */
  lastUsedMs: number;
  readonly #parts: ServedVersionParts;
  readonly #batcher: Batcher;
  #loaded = false;
  /** It is not, and the next call loads it. */
  #waitsForCall: boolean;
  /** The backend may hold something of it, if only what a load that failed has left. */
  #held = false;
  #loading: Promise<void> | undefined;
  #fault: { readonly error: unknown; readonly untilMs: number } | undefined;
  readonly #calls = new CallsUnderWay();

  constructor(
    files: ModelFiles,
    file: VersionFile,
    tokenizer: Tokenizer,
    settings: BatchSettings,
    parts: ServedVersionParts,
  ) {
    const { backend, clock, readers, singles, events } = parts;
    const { maxPaddingRatio, worthwhileTokens } = backend;
    this.#parts = parts;
    this.lastUsedMs = clock.now();
    this.#waitsForCall = !parts.loadsAhead;
    const { name, tier, maxTokens, temperature, cascadeThreshold, tokenizerDigest, parameters } =
      files;
    const paddingCost = backend.heedsPaddingCost ? files.paddingCost : 1;
    const { padId } = tokenizer;
    const id = { ...file, name, maxTokens, padId, tokenizerDigest, parameters };
    this.id = id;
    this.#batcher = new Batcher(
      async (rows, context) => {
        const batch = padded(rows, padId);
        const { logits, version, ranMs } = await inferred(backend, id, batch, context);
        const results = rowsOf(logits, rows.length).map((row) => ({ logits: row, version }));
        return { results, ranMs };
      },
      {
        limits: { ...settings.limits, maxPaddingRatio, paddingCost, worthwhileTokens },
        policy: settings.policy,
        maxWaitMs: settings.maxWaitMs,
        concurrency: backend.concurrency,
        maxInFlight: backend.maxInFlight,
        maxAheadMs: backend.maxAheadMs,
        fixedTokens: backend.fixedTokens,
        singles,
        maxQueuedRows: MAX_QUEUED_ROWS,
        blames: (error) => error instanceof ModelError,
        events,
        tier,
      },
      clock,
    );
    const batcher = this.#batcher;
    this.model = {
      tier,
      name,
      version: versionText(backend.name, id),
      maxTokens,
      temperature,
      cascadeThreshold,
      tokenizer,
      readers,
      events,
      space: spaceOf({ ...id, temperature }),
      lease: () => this.lease(),
      admit: (texts, tokens, call) => batcher.admit(texts, tokens, call),
      submit: (rows, call, begun) => queued(rows, call, () => batcher.submit(rows, call, begun)),
      waitMs: () => batcher.waitMs,
      isReady: () => this.#loaded && backend.isUp(id),
      canServe: () => (this.#loaded ? backend.isUp(id) : this.#canLoad),
      ready: () => this.ready(),
    };
  }

  /** It holds memory, or is about to. */
  get isLoaded(): boolean {
    return this.#loading !== undefined;
  }

  /** Rows that wait for a place in a batch, and their tokens. */
  get queued(): { readonly size: number; readonly tokens: number } {
    return this.#batcher.queued;
  }

  get isInUse(): boolean {
    return this.#calls.count > 0;
  }

  /** It is loaded for nobody: not while it is being loaded, nor while a call uses it. */
  get isIdle(): boolean {
    return this.#loaded && !this.isInUse;
  }

  /** Resolves when it is loaded. Rejects as `Backend.load` does; the next call tries again, after FAULT_REST_MS where the files are at fault. */
  ready(): Promise<void> {
    if (this.#fault && this.#isFaulty) return Promise.reject(this.#fault.error);
    this.#loading ??= this.#load().catch((error: unknown) => {
      this.#loading = undefined;
      const untilMs = this.#parts.clock.now() + FAULT_REST_MS;
      if (error instanceof StartupError) this.#fault = { error, untilMs };
      throw error;
    });
    return this.#loading;
  }

  /** The same, of files that may have been mended. */
  readyAnew(): Promise<void> {
    this.#fault = undefined;
    return this.ready();
  }

  get #isFaulty(): boolean {
    return this.#fault !== undefined && this.#parts.clock.now() < this.#fault.untilMs;
  }

  get #canLoad(): boolean {
    if (!this.#waitsForCall || this.#isFaulty) return false;
    return this.#parts.backend.status().some(({ up }) => up);
  }

  /** For the time of a call: it is not unloaded before the lease is given back. */
  lease(): Disposable {
    return this.#calls.enter(() => {
      this.lastUsedMs = this.#parts.clock.now();
    });
  }

  /** Gives its memory back once no call uses it. It loads again when it is needed again. Resolves with whether it was loaded. */
  async unload(): Promise<boolean> {
    while (this.#isNeeded) {
      await this.#loading?.catch(() => {});
      await this.#calls.soFar();
    }
    return this.#giveBack();
  }

  /** The same, but waits for no call that comes meanwhile: it stays loaded for those. Else there would be no end to it while they come. */
  async unloadUnlessCalled(): Promise<boolean> {
    await this.#loading?.catch(() => {});
    await this.#calls.soFar();
    return !this.#isNeeded && this.#giveBack();
  }

  /** The same where it is idle at this moment; else nothing. */
  async unloadIfIdle(): Promise<boolean> {
    return this.isIdle && this.#giveBack();
  }

  get #isNeeded(): boolean {
    return this.isInUse || (this.isLoaded && !this.#loaded);
  }

  /** No await before all is noted: a call that comes now waits for the unloading, and loads anew. */
  async #giveBack(): Promise<boolean> {
    if (!this.#held) return false;
    const wasLoaded = this.#loaded;
    this.#held = false;
    this.#loading = undefined;
    this.#loaded = false;
    this.#waitsForCall ||= wasLoaded;
    await this.#parts.held.unload(this.id, this);
    return wasLoaded;
  }

  async #load(): Promise<void> {
    const { held, clock, beforeLoad, onLoaded } = this.#parts;
    await beforeLoad();
    const startedMs = clock.now();
    this.#held = true;
    await held.load(this.id, this).catch((error: unknown) => {
      if (error instanceof ServiceError) throw error;
      throw new StartupError(
        `${this.id.onnxPath} cannot be served: ${messageOf(error)}: replace it, or run make models`,
        error,
      );
    });
    this.#loaded = true;
    this.lastUsedMs = clock.now();
    onLoaded(this.lastUsedMs - startedMs);
  }
}
