import { existsSync } from "node:fs";
import { rename } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../core/clock.js";
import { messageOf, ServiceError } from "../../core/errors.js";
import type { ThreadAnswer } from "../../core/in-thread.js";
import type { ReportThread } from "../../core/thread-kind.js";
import { SOON_MS, ThreadPool } from "../../core/thread-pool.js";
import {
  type Backend,
  type Inference,
  keyOf,
  type ModelVersion,
  type TokenBatch,
  versionText,
} from "../backend.js";
import { checkLogits } from "../logits.js";
import { padded } from "../padding.js";
import type { WorkerRequest } from "./messages.js";
import { DEPTH, sessionThreads } from "./session-threads.js";
import { weightsFolder } from "./weights-folder.js";

export interface EmbeddedOptions {
  /** Session workers: batches run side by side. One a core with one thread each beats one session with many threads. */
  readonly workers: number;
  /** onnxruntime's threads in each worker. */
  readonly intraOpThreads: number;
  readonly gpu: boolean;
  /** With those of other processes the threads are as many as the cores; unset: they leave one to the event loop. */
  readonly takesAllCores?: boolean;
  /** A folder of several processes, by which those that start share the weights of models; undefined: there is none, or none any more. */
  readonly weights?: (() => string | undefined) | undefined;
}

const PREPARED = "model.onnx";

/** As ReportThread, and told of models whose weights the workers cannot share. */
type ReportWorker = (event: Parameters<ReportThread>[0] | "unshared", detail: string) => void;

/** Measured: 0.25 reached 0.78 of a plain loop over sorted texts, 0.12 reached 0.88, 0.06 no more. */
const MAX_PADDING_RATIO = 0.12;

/**
 * Measured in turns on a CPU with VNNI, in two runs, texts a second of fast to those with 5: 1.03 and 1.05 (single calls), 1.09 and 1.04 (the same over one connection), 1.05 and
 * 1.00 (AnalyzeBatch); 24, 36 and what batches seem to show are not told apart from it (docs/decisions.md 78).
 */
const FIXED_TOKENS = 16;
/** So that slow models' batches do not hold up who comes next: larger ones of balanced had 1.04 to 1.08 times the texts a second, and may take three times as long. */
const WORTHWHILE_TOKENS = 160;

/** onnxruntime inside this process: one session a model in each of several worker threads. */
export function embeddedBackend(
  { workers, intraOpThreads, gpu, takesAllCores = false, weights }: EmbeddedOptions,
  clock: Clock,
  report: ReportWorker,
): Backend {
  const kind = sessionThreads({ intraOpThreads, gpu }, takesAllCores);
  const pool = new ThreadPool<WorkerRequest, Float32Array>(workers, kind, clock, report);

  async function inferTwice(
    model: string,
    batch: TokenBatch,
    signal: AbortSignal,
  ): Promise<ThreadAnswer<Float32Array>> {
    try {
      return await pool.ask({ kind: "infer", model, batch });
    } catch (error) {
      signal.throwIfAborted();
      // A worker that dies may have died of something else than this batch: one more try, on another worker.
      if (error instanceof ServiceError && error.reason === "BACKEND_DOWN")
        return pool.ask({ kind: "infer", model, batch });
      throw error;
    }
  }

  async function load(model: ModelVersion, prepared?: string): Promise<void> {
    const { onnxPath: path, digest } = model;
    await pool.askEach(() => ({ kind: "load", model: keyOf(model), path, digest, prepared }));
  }

  async function prepare(model: ModelVersion, folder: string): Promise<string> {
    const { onnxPath: path, digest } = model;
    const prepared = join(folder, PREPARED);
    await pool.askAny({ kind: "prepare", model: keyOf(model), path, digest, prepared });
    return prepared;
  }

  /** With its weights in memory once, however many workers there are, and processes that start. */
  async function loadShared(model: ModelVersion): Promise<void> {
    const parent = weights?.();
    if (parent !== undefined) return await loadCommon(model, parent);
    await using folder = await weightsFolder();
    await load(model, await prepare(model, folder.path));
  }

  /** Each process makes what it does not find. One of them is done first, and all take that. */
  async function loadCommon(model: ModelVersion, parent: string): Promise<void> {
    const common = join(parent, model.digest);
    if (!existsSync(common)) {
      await using folder = await weightsFolder(parent);
      await prepare(model, folder.path)
        .then(() => rename(folder.path, common))
        .catch((error: unknown) => {
          if (!existsSync(common)) throw error;
        });
    }
    await load(model, join(common, PREPARED));
  }

  async function loadOwn(model: ModelVersion, why: unknown): Promise<void> {
    await load(model);
    // A disk that is full, or cannot be written to.
    report("unshared", `${model.name} is in memory once for each worker: ${messageOf(why)}`);
  }

  const isUp = () => !pool.failing;
  return {
    name: "embedded",
    concurrency: workers,
    maxInFlight: workers * DEPTH,
    maxAheadMs: SOON_MS,
    maxPaddingRatio: MAX_PADDING_RATIO,
    // A GPU's are of its own kind.
    fixedTokens: gpu ? undefined : FIXED_TOKENS,
    worthwhileTokens: gpu ? undefined : WORTHWHILE_TOKENS,
    // It is measured on CPUs.
    heedsPaddingCost: !gpu,
    isUp,
    status: () => [{ backend: "embedded", up: isUp() }],

    async load(model) {
      if (gpu || (workers === 1 && weights?.() === undefined)) await load(model);
      else
        await loadShared(model).catch((error: unknown) => {
          if (error instanceof ServiceError) throw error;
          return loadOwn(model, error);
        });
      const key = keyOf(model);
      const { maxTokens } = model;
      // The first run allocates; better now than in a caller's time. And a model of the wrong shape fails here, by its name.
      const longest = () => padded([Array<number>(maxTokens).fill(0)], 0);
      const answers = await pool.askEach(() => ({ kind: "infer", model: key, batch: longest() }));
      for (const { result } of answers) checkLogits(result);
    },

    async unload(model) {
      const key = keyOf(model);
      pool.forget(key);
      // A worker that is dead has nothing to give back.
      await pool.askEach(() => ({ kind: "unload", model: key })).catch(() => {});
      // Again: a load that was given up may have ended meanwhile.
      pool.forget(key);
    },

    async infer(model: ModelVersion, batch, { signal }): Promise<Inference> {
      signal.throwIfAborted();
      const { result, ms } = await inferTwice(keyOf(model), batch, signal);
      return { logits: result, ranMs: ms, version: versionText("embedded", model) };
    },

    [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose](),
  };
}
