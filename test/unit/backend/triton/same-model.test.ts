import assert from "node:assert/strict";
import type { ModelVersion } from "../../../../server/backend/backend.js";
import { checkSameModel } from "../../../../server/backend/triton/same-model.js";
import { configMessage } from "../../../support/scripted-triton.js";
import { someVersion } from "../some-version.js";

const check = (
  model: ModelVersion,
  parameters: Readonly<Record<string, string>>,
  versions: string[] = ["1"],
) => {
  const config = configMessage(parameters);
  const { name } = model;
  checkSameModel(model, config, { name, versions, platform: "", inputs: [], outputs: [] });
};
const BOTH = { max_length: "128", temperature: "1" };
const MODEL = someVersion({ version: 3, parameters: BOTH });

describe("checkSameModel", () => {
  it("passes what says the same, whatever else it says", () => {
    check(MODEL, BOTH, ["1", "3"]);
    check(MODEL, { ...BOTH, candidate_version: "4", model_sha256_1: "other" }, ["3"]);
    const { tokenizerDigest, digest } = MODEL;
    check(MODEL, { ...BOTH, tokenizer_sha256: tokenizerDigest, model_sha256_3: digest }, ["3"]);
  });

  for (const [key, here, there] of [
    ["max_length", "128", "512"],
    ["temperature", "1", "1.5"],
    ["cascade_threshold", undefined, "0.9"],
    ["tokenizer_sha256", MODEL.tokenizerDigest, "other"],
    ["model_sha256_3", MODEL.digest, "other"],
  ] as const) {
    it(`names both where ${key} differs`, () => {
      const message = `Triton's sentiment_fast has ${key} ${there}, MODEL_REPOSITORY has ${here}: give both the same repository`;
      assert.throws(() => check(MODEL, { ...BOTH, [key]: there }, ["3"]), { message });
    });
  }

  it("names what Triton lacks", () => {
    const model = someVersion({ parameters: { ...BOTH, cascade_threshold: "0.9" } });
    assert.throws(
      () => check(model, BOTH),
      /cascade_threshold undefined, MODEL_REPOSITORY has 0.9/,
    );
    const versions = { name: "", versions: ["1"], platform: "", inputs: [], outputs: [] };
    assert.throws(() => checkSameModel(MODEL, undefined, versions), /max_length undefined/);
  });

  it("names the versions that Triton has where the wanted one is not among them", () => {
    assert.throws(
      () => check(MODEL, BOTH, ["1", "33"]),
      /serves sentiment_fast in version 1, 33, MODEL_REPOSITORY has 3: load it there/,
    );
    assert.throws(() => check(MODEL, BOTH, []), /in version none/);
  });
});
