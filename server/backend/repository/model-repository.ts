import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { messageOf, StartupError } from "../../core/errors.js";
import { LABELS, TIERS, type Tier } from "../../core/tiers.js";
import { type ModelConfig, readModelConfig } from "./model-config.js";

/** One model of the repository, checked: its files are there and fit together. */
export interface ModelFiles extends ModelConfig {
  readonly tier: Tier;
  /** The highest version folder: the one that Triton serves by default. */
  readonly version: number;
  readonly onnxPath: string;
  /** sha-256 of the ONNX file, hex. */
  readonly digest: string;
  readonly tokenizerPath: string;
}

/**
 * The models of a Triton model repository: folders `sentiment_<tier>` with `config.pbtxt`, `<version>/model.onnx`,
 * `tokenizer.json` and `labels.txt`. A tier without a folder is not served; a folder with a fault is a StartupError.
 */
export async function readRepository(folder: string): Promise<readonly ModelFiles[]> {
  const names = await readdir(folder).catch((error: unknown) => {
    throw new StartupError(
      `MODEL_REPOSITORY ${folder} cannot be read (${messageOf(error)}): name a model repository`,
      error,
    );
  });
  const tiers = TIERS.filter((tier) => names.includes(`sentiment_${tier}`));
  if (tiers.length === 0) {
    const wanted = TIERS.map((tier) => `sentiment_${tier}`).join(", ");
    throw new StartupError(
      `MODEL_REPOSITORY ${folder} holds none of ${wanted}: run make models, or name another folder`,
    );
  }
  return Promise.all(tiers.map((tier) => readModel(folder, tier)));
}

async function readModel(repository: string, tier: Tier): Promise<ModelFiles> {
  const folder = join(repository, `sentiment_${tier}`);
  const config = await readModelConfig(join(folder, "config.pbtxt"));
  if (config.name !== `sentiment_${tier}`) {
    throw new StartupError(
      `${folder}/config.pbtxt names the model ${config.name}: Triton wants the folder's name`,
    );
  }
  await checkLabels(join(folder, "labels.txt"));
  const version = await latestVersion(folder);
  const onnxPath = join(folder, String(version), "model.onnx");
  const digest = await sha256(onnxPath);
  return {
    ...config,
    tier,
    version,
    onnxPath,
    digest,
    tokenizerPath: join(folder, "tokenizer.json"),
  };
}

async function checkLabels(path: string): Promise<void> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw new StartupError(
      `${path} cannot be read (${messageOf(error)}): one label a line, ${LABELS.join(", ")}`,
      error,
    );
  });
  if (text.trim().split(/\s+/).join() !== LABELS.join()) {
    throw new StartupError(`${path} must hold ${LABELS.join(", ")}, one a line, in this order`);
  }
}

async function latestVersion(folder: string): Promise<number> {
  const versions = (await readdir(folder)).filter((name) => /^[1-9]\d*$/.test(name)).map(Number);
  if (versions.length === 0)
    throw new StartupError(`${folder} has no version folder: put the model at 1/model.onnx`);
  return Math.max(...versions);
}

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash).catch((error: unknown) => {
    throw new StartupError(
      `${path} cannot be read (${messageOf(error)}): add the model, or run make models`,
      error,
    );
  });
  return hash.digest("hex");
}
