import type { TokenBatch } from "../backend.js";

interface ModelFile {
  /** As `keyOf` gives it. */
  readonly model: string;
  readonly path: string;
  /** sha-256 of the file, hex: what is loaded must be what the model's version says. */
  readonly digest: string;
}

/** What a session worker is asked. Requests to one worker are answered one at a time, in their order. */
export type WorkerRequest =
  | (ModelFile & {
      /** Writes to `prepared` what sessions of this machine are made of: the graph, optimized, and beside it its weights, laid out as this CPU reads them. */
      readonly kind: "prepare";
      readonly prepared: string;
    })
  | (ModelFile & {
      readonly kind: "load";
      /** What was prepared of it: its weights are mapped, and so in memory once for all workers. */
      readonly prepared: string | undefined;
    })
  | { readonly kind: "unload"; readonly model: string }
  | { readonly kind: "infer"; readonly model: string; readonly batch: TokenBatch };

/** Given to a worker when it starts. */
export interface WorkerOptions {
  /** onnxruntime's threads inside one operator. */
  readonly intraOpThreads: number;
  /** On a GPU: by TensorRT where it is there, else by CUDA. */
  readonly gpu: boolean;
}
