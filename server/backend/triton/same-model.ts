import type { ModelMetadataResponse } from "../../gen/inference/grpc_service.js";
import type { ModelConfig } from "../../gen/inference/model_config.js";
import type { ModelVersion } from "../backend.js";
import type { TritonClient } from "./triton-client.js";
import { isSilence } from "./unary.js";

/** What has to agree, whether or not either side knows of more. */
const AGREED = ["max_length", "temperature", "cascade_threshold"];

/** Throws unless the server has the model; where it has another one, once it has read its folder anew. */
export async function checkServed(model: ModelVersion, client: TritonClient): Promise<void> {
  try {
    await check(model, client);
  } catch (error) {
    if (isSilence(error)) throw error;
    // What it has loaded may be what the folder held before.
    await client.load(model.name).catch(() => {
      throw error;
    });
    await check(model, client);
  }
}

async function check(model: ModelVersion, client: TritonClient): Promise<void> {
  const { name } = model;
  const [config, metadata] = [await client.config(name), await client.metadata(name)];
  checkSameModel(model, config, metadata);
}

/**
 * Throws unless what Triton serves under the model's name is what the local folder describes: ids of one tokenizer mean nothing to the
 * model of another. Digests are compared where Triton's config.pbtxt has them.
 */
export function checkSameModel(
  model: ModelVersion,
  config: ModelConfig | undefined,
  { versions }: ModelMetadataResponse,
): void {
  const { name, version, parameters } = model;
  const theirs = Object.fromEntries(
    Object.entries(config?.parameters ?? {}).map(([key, { stringValue }]) => [key, stringValue]),
  );
  const differ = (what: string, here: unknown, there: unknown) => {
    throw new Error(
      `Triton's ${name} has ${what} ${there}, MODEL_REPOSITORY has ${here}: give both the same repository`,
    );
  };
  for (const key of AGREED) {
    if (theirs[key] !== parameters[key]) differ(key, parameters[key], theirs[key]);
  }
  const digests = {
    tokenizer_sha256: model.tokenizerDigest,
    [`model_sha256_${version}`]: model.digest,
  };
  for (const [key, digest] of Object.entries(digests)) {
    const theirDigest = theirs[key] ?? digest;
    if (theirDigest !== digest) differ(key, digest, theirDigest);
  }
  if (!versions.includes(String(version))) {
    throw new Error(
      `Triton serves ${name} in version ${versions.join(", ") || "none"}, MODEL_REPOSITORY has ${version}: load it there`,
    );
  }
}
