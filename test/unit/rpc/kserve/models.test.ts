import assert from "node:assert/strict";
import type { ServedModel } from "../../../../server/classify/model.js";
import type { Models } from "../../../../server/classify/models.js";
import { ModelConfig } from "../../../../server/gen/inference/model_config.js";
import { Tier } from "../../../../server/gen/sentiment/v1/sentiment.js";
import {
  configOf,
  metadataOf,
  modelNamed,
  namedModels,
} from "../../../../server/rpc/kserve/models.js";
import { FakeClock } from "../../../support/fake-clock.js";
import { fakeModel } from "../../classify/fake-model.js";
import { serviceError } from "../../outcomes.js";

const clock = new FakeClock();
let accurateReady = false;
const [fast] = fakeModel(clock, () => [], {
  version: "12+embedded.01234567",
  cascadeThreshold: 0.5,
});
const [accurate] = fakeModel(clock, () => [], {
  tier: "accurate",
  name: "sentiment_accurate",
  isReady: () => accurateReady,
  canServe: () => accurateReady,
});
const serving = (...served: readonly ServedModel[]): Models => ({
  list: () => served,
  spacesOf: () => [],
  lease: () => undefined,
  load: async () => undefined,
  unload: async () => undefined,
});
const all = namedModels({ models: serving(fast, accurate) });

describe("the models by name", () => {
  it("are those of the tiers, and the cascade", () => {
    assert.deepEqual(
      all.map(({ name, version, tier }) => [name, version, tier]),
      [
        ["sentiment_fast", "12", Tier.TIER_FAST],
        ["sentiment_accurate", "1", Tier.TIER_ACCURATE],
        ["sentiment_auto", "1", Tier.TIER_AUTO],
      ],
    );
  });

  it("are without the cascade where it is not served", () => {
    const withoutThreshold = { ...fast, cascadeThreshold: undefined };
    const models = serving(withoutThreshold, accurate);
    const names = namedModels({ models }).map(({ name }) => name);
    assert.deepEqual(names, ["sentiment_fast", "sentiment_accurate"]);
  });

  it("are ready when theirs are, the cascade when both are", () => {
    const ready = () => all.map((model) => model.isReady());
    const serving = () => all.map((model) => model.canServe());
    accurateReady = false;
    assert.deepEqual(
      [ready(), serving()],
      [
        [true, false, false],
        [true, false, false],
      ],
    );
    accurateReady = true;
    assert.deepEqual(
      [ready(), serving()],
      [
        [true, true, true],
        [true, true, true],
      ],
    );
  });

  for (const version of ["", "12"]) {
    it(`are found by the version "${version}"`, () => {
      assert.equal(modelNamed(all, "sentiment_fast", version).tier, Tier.TIER_FAST);
    });
  }

  for (const version of ["1", "012", "12+embedded.01234567"]) {
    it(`are not found by the version ${version}`, () => {
      const message = `The model sentiment_fast has no version ${version}: ask for 12, or for none.`;
      assert.throws(
        () => modelNamed(all, "sentiment_fast", version, "model_"),
        serviceError("MODEL_UNKNOWN", message, { field: "model_version" }),
      );
    });
  }

  it("are named to who asks for another", () => {
    const message =
      "The model resnet is not served here: use sentiment_fast, sentiment_accurate, sentiment_auto.";
    assert.throws(
      () => modelNamed(all, "resnet", ""),
      serviceError("MODEL_UNKNOWN", message, { field: "name" }),
    );
  });
});

describe("what is told of a model", () => {
  const model = modelNamed(all, "sentiment_fast", "");

  it("the metadata has the batch as a dimension of each tensor", () => {
    assert.deepEqual(metadataOf(model), {
      name: "sentiment_fast",
      versions: ["12"],
      platform: "onnxruntime_onnx",
      inputs: [{ name: "TEXT", datatype: "BYTES", shape: [-1, 1] }],
      outputs: [
        { name: "LABEL", datatype: "BYTES", shape: [-1, 1] },
        { name: "SCORE", datatype: "FP32", shape: [-1, 1] },
        { name: "PROBABILITIES", datatype: "FP32", shape: [-1, 3] },
      ],
    });
  });

  it("the configuration has it as the batch size, and arrives as it was sent", () => {
    const config = configOf(model, 100);
    const { name, maxBatchSize, input, output } = ModelConfig.decode(
      ModelConfig.encode(config).finish(),
    );
    assert.deepEqual([name, maxBatchSize], ["sentiment_fast", 100]);
    assert.deepEqual(
      [...input, ...output].map((tensor) => [tensor.name, tensor.dataType, tensor.dims]),
      [
        ["TEXT", 13, [1]],
        ["LABEL", 13, [1]],
        ["SCORE", 11, [1]],
        ["PROBABILITIES", 11, [3]],
      ],
    );
  });
});
