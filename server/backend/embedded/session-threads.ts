import { ServiceError } from "../../core/errors.js";
import type { ThreadKind } from "../../core/thread-kind.js";
import { ModelError } from "../backend.js";
import type { WorkerOptions, WorkerRequest } from "./messages.js";

// Otherwise onnxruntime tells Microsoft about the models it loads (since 1.29, on Linux too). It looks at the process's own variables, of which a thread has but a copy.
process.env["ORT_DISABLE_TELEMETRY"] ??= "1";

/** Looks that an inference may last: a minute, far more than any batch takes; on a GPU ten, where TensorRT may build an engine for a new shape first. */
const MOST_LOOKS = { cpu: 12, gpu: 120 };

/** Requests that a worker has at once: one that it works on, and one that it goes on with, without waiting for the thread that asks. */
export const DEPTH = 2;

/** Rejects with ModelError for what the model refused, BACKEND_DOWN where the worker was lost over it or none can be had. */
export const sessionThreads = (
  options: WorkerOptions,
  takesAllCores: boolean,
): ThreadKind<WorkerRequest> => ({
  entry: new URL("./session-worker.js", import.meta.url),
  name: "sentiment-inference",
  options,
  depth: DEPTH,
  takesAllCores,
  // A model that takes a hundred times as long as another gets no more of the threads for that.
  work: (request) => ({
    lane: request.model,
    size: request.kind === "infer" ? request.batch.rows * request.batch.tokens : 0,
  }),
  lanesStay: true,
  // What was prepared is gone by then, and what lies in its place is nobody's to trust.
  leaves: (request) =>
    request.kind === "load"
      ? { name: request.model, again: { ...request, prepared: undefined } }
      : undefined,
  mostLooks: ({ kind }) => {
    if (kind !== "infer") return Number.POSITIVE_INFINITY;
    return options.gpu ? MOST_LOOKS.gpu : MOST_LOOKS.cpu;
  },
  // A thread that is ended while onnxruntime works takes the whole process with it now and then (an uncaught Napi::Error).
  isEndable: false,
  refused: (error) => new ModelError(error),
  lost: (why, cause) => {
    const message =
      why === "none"
        ? "No inference worker is alive: try again later."
        : "The inference worker was lost.";
    return new ServiceError("BACKEND_DOWN", message, { retryAfterMs: 1000, cause });
  },
});
