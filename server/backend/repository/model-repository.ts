import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { messageOf, StartupError } from "../../core/errors.js";
import { checkFile, readWhole } from "../../core/files.js";
import { LABELS, TIERS, type Tier } from "../../core/tiers.js";
import { type ModelConfig, readModelConfig } from "./model-config.js";

const MOST_LABEL_BYTES = 2 ** 20;

/** One model of the repository, checked: its files are there and fit together. */
export interface ModelFiles extends ModelConfig {
  readonly tier: Tier;
  /** What is served: the highest version folder that is no candidate. As Triton does by default. */
  readonly served: VersionFile;
  /** What the candidate's version folder holds. */
  readonly tried: VersionFile | undefined;
  readonly tokenizerPath: string;
  readonly tokenizerDigest: string;
}

/** The model file of a version. */
export interface VersionFile {
  readonly version: number;
  readonly onnxPath: string;
  /** sha-256 of the ONNX file, hex. */
  readonly digest: string;
  readonly bytes: number;
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

/** One of them; throws as `readRepository` does. */
export async function readModel(repository: string, tier: Tier): Promise<ModelFiles> {
  const folder = join(repository, `sentiment_${tier}`);
  const configPath = join(folder, "config.pbtxt");
  const config = await readModelConfig(configPath);
  if (config.name !== `sentiment_${tier}`) {
    throw new StartupError(
      `${configPath} names the model ${config.name}: Triton wants the folder's name`,
    );
  }
  await checkLabels(join(folder, "labels.txt"));
  const { candidate, parameters } = config;
  const versions = await versionsOf(folder);
  if (candidate && !versions.includes(candidate.version)) {
    throw new StartupError(
      `${configPath} has candidate_version ${candidate.version}, but there is no such folder: add it, or take the parameter out`,
    );
  }
  const latest = Math.max(...versions.filter((version) => version !== candidate?.version));
  if (latest < 1) throw new StartupError(`${folder} has no version but the candidate: add one`);
  const read = (version: number) => versionFile(folder, version, parameters);
  const tokenizerPath = join(folder, "tokenizer.json");
  const tokenizerDigest = await sha256(tokenizerPath);
  if (config.tokenizerDigest !== undefined && config.tokenizerDigest !== tokenizerDigest) {
    throw new StartupError(
      `${tokenizerPath} is not the one that the model was made with (tokenizer_sha256 in config.pbtxt): bring that one back, or make the model again`,
    );
  }
  return {
    ...config,
    tier,
    served: await read(latest),
    tried: candidate && (await read(candidate.version)),
    tokenizerPath,
    tokenizerDigest,
  };
}

async function versionFile(
  folder: string,
  version: number,
  parameters: Readonly<Record<string, string>>,
): Promise<VersionFile> {
  const onnxPath = join(folder, String(version), "model.onnx");
  const digest = await sha256(onnxPath);
  const wanted = parameters[`model_sha256_${version}`];
  if (wanted !== undefined && wanted !== digest) {
    throw new StartupError(
      `${onnxPath} is not the file that config.pbtxt speaks of (model_sha256_${version}): bring that one back, or make the model again`,
    );
  }
  return { version, onnxPath, digest, bytes: (await stat(onnxPath)).size };
}

async function checkLabels(path: string): Promise<void> {
  const bytes = await readWhole(path, MOST_LABEL_BYTES).catch((error: unknown) => {
    throw new StartupError(
      `${path} cannot be read (${messageOf(error)}): one label a line, ${LABELS.join(", ")}`,
      error,
    );
  });
  if (bytes.toString("utf8").trim().split(/\s+/).join() !== LABELS.join()) {
    throw new StartupError(`${path} must hold ${LABELS.join(", ")}, one a line, in this order`);
  }
}

async function versionsOf(folder: string): Promise<number[]> {
  const versions = (await readdir(folder)).filter((name) => /^[1-9]\d*$/.test(name)).map(Number);
  if (versions.length === 0)
    throw new StartupError(`${folder} has no version folder: put the model at 1/model.onnx`);
  return versions;
}

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    await checkFile(path);
    await pipeline(createReadStream(path), hash);
  } catch (error) {
    throw new StartupError(
      `${path} cannot be read (${messageOf(error)}): add the model, or run make models`,
      error,
    );
  }
  return hash.digest("hex");
}
