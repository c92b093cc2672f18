import {
  type Backend,
  type InferContext,
  type ModelVersion,
  type TokenBatch,
  versionText,
} from "../../server/backend/backend.js";

/** A backend that does what the test says, and what it was asked so far: "load 1", "infer 1", "unload 1". */
export interface ScriptedBackend extends Backend {
  readonly asked: string[];
  readonly batches: { readonly batch: TokenBatch; readonly context: InferContext }[];
  up: boolean;
  onLoad: (model: ModelVersion) => Promise<void>;
  onUnload: (model: ModelVersion) => Promise<void>;
  onInfer: (model: ModelVersion, batch: TokenBatch) => Promise<Float32Array>;
}

/** Neutral in every row. */
export const neutral = (batch: TokenBatch): Float32Array =>
  Float32Array.from({ length: batch.rows * 3 }, (_, place) => (place % 3 === 1 ? 3 : 0));

export function scriptedBackend(name = "scripted"): ScriptedBackend {
  const asked: string[] = [];
  const batches: ScriptedBackend["batches"] = [];
  const note = (what: string, { version }: ModelVersion) => asked.push(`${what} ${version}`);
  const backend: ScriptedBackend = {
    name,
    concurrency: 1,
    maxInFlight: 1,
    maxPaddingRatio: 0.12,
    asked,
    batches,
    up: true,
    onLoad: async () => {},
    onUnload: async () => {},
    onInfer: async (_model, batch) => neutral(batch),
    isUp: () => backend.up,
    status: () => [{ backend: name, up: backend.up }],
    async load(model) {
      note("load", model);
      await backend.onLoad(model);
    },
    async unload(model) {
      note("unload", model);
      await backend.onUnload(model);
    },
    async infer(model, batch, context) {
      note("infer", model);
      batches.push({ batch, context });
      return {
        logits: await backend.onInfer(model, batch),
        version: versionText(name, model),
      };
    },
    [Symbol.asyncDispose]: async () => {
      asked.push("dispose");
    },
  };
  return backend;
}
