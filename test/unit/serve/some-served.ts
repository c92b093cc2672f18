import type {
  ModelFiles,
  VersionFile,
} from "../../../server/backend/repository/model-repository.js";
import { Singles } from "../../../server/batch/singles.js";
import { HeldModels } from "../../../server/serve/held-models.js";
import { ServedVersion, type ServedVersionParts } from "../../../server/serve/served-version.js";
import { NO_EVENTS } from "../../support/no-events.js";
import { numbersOf, tokenizerOf } from "../classify/fake-model.js";

export const SETTINGS = {
  limits: { rows: 32, minRows: 8, maxRows: 128, maxWork: 1024, maxPaddingRatio: 0.12 },
  policy: "guide" as const,
  maxWaitMs: 60_000,
};

const fileOf = (version: number, bytes: number): VersionFile => ({
  version,
  onnxPath: `models/${version}/model.onnx`,
  digest: "a".repeat(64),
  bytes,
});

const FILES: Omit<ModelFiles, "served" | "paddingCost"> = {
  name: "sentiment_fast",
  tier: "fast",
  maxTokens: 128,
  temperature: 1,
  cascadeThreshold: undefined,
  candidate: undefined,
  tokenizerDigest: "b".repeat(64),
  tokenizerPath: "models/tokenizer.json",
  parameters: {},
  tried: undefined,
};

/** A version that no file is behind; its texts are numbers. */
export function someServed(
  version: number,
  parts: Pick<ServedVersionParts, "backend" | "clock"> & Partial<ServedVersionParts>,
  bytes = 100,
  paddingCost = 1,
): ServedVersion {
  const file = fileOf(version, bytes);
  const surroundings = {
    held: new HeldModels(parts.backend),
    readers: undefined,
    singles: new Singles(),
    loadsAhead: true,
    beforeLoad: async () => {},
    onLoaded: () => {},
    events: NO_EVENTS,
    ...parts,
  };
  return new ServedVersion(
    { ...FILES, paddingCost, served: file },
    file,
    tokenizerOf(numbersOf),
    SETTINGS,
    surroundings,
  );
}
