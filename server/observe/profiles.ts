import { Session } from "node:inspector/promises";
import { eitherOf, pause } from "../core/abort.js";
import type { Clock } from "../core/clock.js";
import { ServiceError } from "../core/errors.js";
import {
  type FolderLimits,
  type ProfileFile,
  ProfileFolder,
  type ProfileKind,
} from "./profile-folder.js";

export interface ProfilesOptions {
  readonly folder: string;
  readonly limits?: FolderLimits;
}

interface Captured {
  readonly path: string;
  readonly bytes: number;
}

/** For the log. They must not throw. */
export interface ProfileEvents {
  captured(kind: ProfileKind, profile: Captured): void;
  /** Old files could not be deleted. */
  unpruned(error: unknown): void;
}

const LIMITS: FolderLimits = { files: 20, bytes: 2 ** 30 };
/** A look every millisecond costs about a hundredth of the time. */
const CPU_INTERVAL_US = 1000;
/** Of allocated bytes, on average. */
const ALLOCATION_INTERVAL_BYTES = 32 * 1024;
/** What a heap takes by guess: whoever comes meanwhile may try again then. */
const LEAST_RETRY_MS = 1000;

/** Writes what it records into the file; what has begun ends with the session. */
type Recording = (
  session: Session,
  file: ProfileFile,
  elapsed: () => Promise<void>,
) => Promise<void>;

const RECORDINGS: Readonly<Record<ProfileKind, Recording>> = {
  async cpu(session, file, elapsed) {
    await session.post("Profiler.enable");
    await session.post("Profiler.setSamplingInterval", { interval: CPU_INTERVAL_US });
    await session.post("Profiler.start");
    await elapsed();
    const { profile } = await session.post("Profiler.stop");
    await file.write(JSON.stringify(profile));
  },

  async heap(session, file) {
    let fault: unknown;
    session.on("HeapProfiler.addHeapSnapshotChunk", ({ params }) => {
      if (fault !== undefined) return;
      try {
        // All chunks come in one turn: kept until the next one they would take as much memory again.
        file.writeAtOnce(params.chunk);
      } catch (error) {
        fault = error;
      }
    });
    await session.post("HeapProfiler.takeHeapSnapshot");
    if (fault !== undefined) throw file.unwritable(fault);
  },

  async allocation(session, file, elapsed) {
    await session.post("HeapProfiler.enable");
    await session.post("HeapProfiler.startSampling", {
      samplingInterval: ALLOCATION_INTERVAL_BYTES,
      // Also what is garbage by then: most of what a call allocates.
      includeObjectsCollectedByMajorGC: true,
      includeObjectsCollectedByMinorGC: true,
    });
    await elapsed();
    const { profile } = await session.post("HeapProfiler.stopSampling");
    await file.write(JSON.stringify(profile));
  },
};

/** Profiles of this process, of the thread that takes calls, one at a time, as files in a folder. Closing it ends the one under way. */
export class Profiles implements AsyncDisposable {
  #underWay: Promise<Captured> | undefined;
  #endMs = 0;
  readonly #closing = new AbortController();
  readonly #folder: ProfileFolder;
  readonly #clock: Clock;
  readonly #events: ProfileEvents;

  constructor(options: ProfilesOptions, clock: Clock, events: ProfileEvents) {
    this.#folder = new ProfileFolder(options.folder, options.limits ?? LIMITS);
    this.#clock = clock;
    this.#events = events;
  }

  /** Rejects with OVERLOADED, PROFILE_UNWRITABLE, or the signal's reason; no file is left then. */
  async capture(kind: ProfileKind, ms: number, signal: AbortSignal): Promise<Captured> {
    if (this.#underWay !== undefined) throw this.#busy();
    this.#endMs = this.#clock.now() + ms;
    using leaving = eitherOf(signal, this.#closing.signal);
    this.#underWay = this.#capture(kind, ms, leaving.signal);
    try {
      return await this.#underWay;
    } finally {
      this.#underWay = undefined;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new ServiceError("DRAINING", "The server is shutting down."));
    await this.#underWay?.catch(() => {});
  }

  async #capture(kind: ProfileKind, ms: number, signal: AbortSignal): Promise<Captured> {
    signal.throwIfAborted();
    // First, so that a folder that cannot be written is told before the time is spent.
    await using file = await this.#folder.create(kind);
    await record(kind, file, () => pause(ms, this.#clock, signal));
    signal.throwIfAborted();
    const captured = await file.keep();
    await this.#folder.prune(captured.path).catch(this.#events.unpruned);
    this.#events.captured(kind, captured);
    return captured;
  }

  #busy(): ServiceError {
    const leftMs = this.#endMs - this.#clock.now();
    const message = "This process is being recorded already: one profile at a time.";
    return new ServiceError("OVERLOADED", message, {
      retryAfterMs: Math.max(LEAST_RETRY_MS, leftMs),
    });
  }
}

async function record(
  kind: ProfileKind,
  file: ProfileFile,
  elapsed: () => Promise<void>,
): Promise<void> {
  const session = new Session();
  session.connect();
  try {
    await RECORDINGS[kind](session, file, elapsed);
  } finally {
    // Ends what it has begun.
    session.disconnect();
  }
}
