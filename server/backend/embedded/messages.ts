import type { TokenBatch } from "../backend.js";

/** What a session worker is asked. Requests to one worker are answered one at a time, in their order. */
export type WorkerRequest =
  | {
      readonly kind: "load";
      /** As `keyOf` gives it. */
      readonly model: string;
      readonly path: string;
      /** sha-256 of the file, hex: what is loaded must be what the model's version says. */
      readonly digest: string;
    }
  | { readonly kind: "unload"; readonly model: string }
  | { readonly kind: "infer"; readonly model: string; readonly batch: TokenBatch };

/** Given to a worker when it starts. */
export interface WorkerOptions {
  /** onnxruntime's threads inside one operator. */
  readonly intraOpThreads: number;
  /** On a GPU: by TensorRT where it is there, else by CUDA. */
  readonly gpu: boolean;
}
