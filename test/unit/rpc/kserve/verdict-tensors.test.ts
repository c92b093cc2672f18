import assert from "node:assert/strict";
import { outputNamesOf, outputsOf } from "../../../../server/rpc/kserve/verdict-tensors.js";
import { bytesTensor } from "../../../support/infer-messages.js";
import { serviceError } from "../../outcomes.js";

const ANSWERS = [
  { label: "positive", score: 0.5, probabilities: [0.125, 0.25, 0.625] },
  { label: "negative", score: -0.75, probabilities: [0.75, 0.25, 0] },
] as const;
const asked = (...names: string[]) => names.map((name) => ({ name, parameters: {} }));
const floats = (values: readonly number[]) => new Uint8Array(Float32Array.from(values).buffer);

describe("outputNamesOf", () => {
  it("takes all outputs where none is asked for", () => {
    assert.deepEqual(outputNamesOf([]), ["LABEL", "SCORE", "PROBABILITIES"]);
  });

  it("takes what is asked for, in that order", () => {
    const names = ["PROBABILITIES", "LABEL"];
    assert.deepEqual(outputNamesOf(asked(...names)), names);
  });

  const ALL = "LABEL, SCORE, PROBABILITIES";
  for (const name of ["logits", "", "constructor"]) {
    it(`refuses the output "${name}"`, () => {
      const message = `The output ${name} is unknown: ask for ${ALL}.`;
      const refused = serviceError("TENSOR_INVALID", message, { field: "outputs[1].name" });
      assert.throws(() => outputNamesOf(asked("LABEL", name)), refused);
    });
  }

  it("refuses an output that is asked for twice", () => {
    const message = "An output is asked for twice: ask for each once at most.";
    assert.throws(
      () => outputNamesOf(asked("LABEL", "SCORE", "LABEL")),
      serviceError("TENSOR_INVALID", message, { field: "outputs" }),
    );
  });

  for (const form of ["classification", "shared_memory_region"]) {
    it(`refuses an output as ${form}`, () => {
      const message = `${form} is not served: ask for SCORE as it is.`;
      assert.throws(
        () => outputNamesOf([{ name: "SCORE", parameters: { [form]: { int64Param: 2 } } }]),
        serviceError("TENSOR_INVALID", message, { field: "outputs[0].parameters" }),
      );
    });
  }
});

describe("outputsOf", () => {
  for (const shape of [[2], [2, 1]]) {
    it(`writes labels and scores in the input's shape, [${shape}]`, () => {
      const { outputs, rawOutputContents } = outputsOf(
        ["LABEL", "SCORE", "PROBABILITIES"],
        ANSWERS,
        shape,
      );
      const rest = { parameters: {}, contents: undefined };
      assert.deepEqual(outputs, [
        { name: "LABEL", datatype: "BYTES", shape, ...rest },
        { name: "SCORE", datatype: "FP32", shape, ...rest },
        { name: "PROBABILITIES", datatype: "FP32", shape: [2, 3], ...rest },
      ]);
      assert.deepEqual(
        rawOutputContents.map((raw) => Uint8Array.from(raw)),
        [
          Uint8Array.from(bytesTensor(["positive", "negative"])),
          floats([0.5, -0.75]),
          floats([0.125, 0.25, 0.625, 0.75, 0.25, 0]),
        ],
      );
    });
  }

  it("writes only the outputs of the names, in their order", () => {
    const { outputs, rawOutputContents } = outputsOf(["SCORE", "LABEL"], ANSWERS, [2]);
    assert.deepEqual(
      outputs.map(({ name }) => name),
      ["SCORE", "LABEL"],
    );
    assert.deepEqual(
      rawOutputContents.map(({ length }) => length),
      [8, 24],
    );
  });
});
