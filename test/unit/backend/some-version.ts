import type { ModelVersion } from "../../../server/backend/backend.js";

/** A version of a model that no file is behind. */
export const someVersion = (parts: Partial<ModelVersion> = {}): ModelVersion => ({
  name: "sentiment_fast",
  version: 1,
  onnxPath: "models/sentiment_fast/1/model.onnx",
  digest: "a".repeat(64),
  bytes: 1000,
  tokenizerDigest: "b".repeat(64),
  maxTokens: 128,
  padId: 0,
  parameters: { max_length: "128", temperature: "1" },
  ...parts,
});
