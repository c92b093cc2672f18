import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { EmbeddedFile } from "../../server/backend/embedded/embedded-backend.js";

/** The first version of the model in that folder. */
export async function onnxFile(folder: string): Promise<EmbeddedFile> {
  const path = `${folder}/1/model.onnx`;
  const digest = createHash("sha256")
    .update(await readFile(path))
    .digest("hex");
  return { path, digest, maxTokens: 128 };
}
