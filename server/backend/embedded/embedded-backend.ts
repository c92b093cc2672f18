import type { Clock } from "../../core/clock.js";
import { ServiceError } from "../../core/errors.js";
import type { Backend, TokenBatch } from "../backend.js";
import { padded } from "../padding.js";
import type { WorkerRequest } from "./messages.js";
import { type ReportWorker, SupervisedWorker } from "./supervised-worker.js";

export interface EmbeddedOptions {
  /** Where each model's ONNX file is. */
  readonly files: ReadonlyMap<string, string>;
  /** Session workers: batches run side by side. One a core with one thread each beats one session with many threads. */
  readonly workers: number;
  /** onnxruntime's threads in each worker. */
  readonly intraOpThreads: number;
}

interface Job {
  /** Where it must run; anywhere when undefined. */
  readonly on: SupervisedWorker | undefined;
  readonly run: (worker: SupervisedWorker) => Promise<Float32Array>;
  readonly resolve: (logits: Float32Array) => void;
  readonly reject: (error: unknown) => void;
}

/** onnxruntime inside this process: one session a model in each of several worker threads. */
export function embeddedBackend(
  options: EmbeddedOptions,
  clock: Clock,
  report: ReportWorker,
): Backend {
  const jobs: Job[] = [];
  const dispatch = () => {
    for (const worker of workers) {
      if (!worker.free) continue;
      const next = jobs.findIndex(({ on }) => on === undefined || on === worker);
      const [job] = next < 0 ? [] : jobs.splice(next, 1);
      job?.run(worker).then(job.resolve, job.reject);
    }
  };
  const workers = Array.from(
    { length: options.workers },
    () => new SupervisedWorker({ intraOpThreads: options.intraOpThreads }, clock, dispatch, report),
  );

  const whenFree = (run: Job["run"], on?: SupervisedWorker) =>
    new Promise<Float32Array>((resolve, reject) => {
      jobs.push({ on, run, resolve, reject });
      dispatch();
    });

  const inferOnce = (model: string, batch: TokenBatch) =>
    whenFree((worker) => worker.ask({ kind: "infer", model, batch }));

  async function infer(model: string, batch: TokenBatch): Promise<Float32Array> {
    try {
      // Transferred buffers are gone with the worker, so the first try sends a copy.
      return await inferOnce(model, structuredClone(batch));
    } catch (error) {
      // A worker that dies may have died of something else than this batch: one more try, on another worker.
      if (error instanceof ServiceError && error.reason === "BACKEND_DOWN")
        return inferOnce(model, batch);
      throw error;
    }
  }

  async function load(model: string): Promise<void> {
    const path = options.files.get(model);
    if (path === undefined) throw new Error(`${model} is not in the model repository`);
    const onEach = (request: () => WorkerRequest) =>
      Promise.all(workers.map((worker) => whenFree(() => worker.ask(request()), worker)));
    await onEach(() => ({ kind: "load", model, path }));
    // The first run allocates; better now than in a caller's time. And a model of the wrong shape fails here, by its name.
    await onEach(() => ({ kind: "infer", model, batch: padded([[0]], 0) }));
  }

  return {
    name: "embedded",
    concurrency: options.workers,
    load,
    infer,
    [Symbol.asyncDispose]: async () => {
      const down = new ServiceError("DRAINING", "The server is shutting down: try another one.");
      for (const job of jobs.splice(0)) job.reject(down);
      await Promise.all(workers.map((worker) => worker.close()));
    },
  };
}
