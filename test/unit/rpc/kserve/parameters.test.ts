import assert from "node:assert/strict";
import { LongText } from "../../../../server/gen/sentiment/v1/sentiment.js";
import { optionsOf } from "../../../../server/rpc/kserve/parameters.js";
import { serviceError } from "../../outcomes.js";

const PLAIN = {
  explain: false,
  sentences: false,
  skipCache: false,
  longText: LongText.LONG_TEXT_UNSPECIFIED,
};

describe("optionsOf", () => {
  it("asks for nothing special without parameters", () => {
    assert.deepEqual(optionsOf({}), PLAIN);
  });

  for (const boolParam of [true, false]) {
    it(`takes skip_cache ${boolParam}`, () => {
      const options = optionsOf({ skip_cache: { boolParam } });
      assert.deepEqual(options, { ...PLAIN, skipCache: boolParam });
    });
  }

  for (const [stringParam, longText] of [
    ["windows", LongText.LONG_TEXT_WINDOWS],
    ["truncate", LongText.LONG_TEXT_TRUNCATE],
    ["reject", LongText.LONG_TEXT_REJECT],
  ] as const) {
    it(`takes long_text ${stringParam}`, () => {
      assert.deepEqual(optionsOf({ long_text: { stringParam } }), { ...PLAIN, longText });
    });
  }

  it("passes over parameters for other servers, whatever their names", () => {
    const others = JSON.parse('{"priority": {}, "__proto__": {}, "constructor": {}}');
    assert.deepEqual(optionsOf(others), PLAIN);
  });

  it("refuses skip_cache that is no bool", () => {
    assert.throws(
      () => optionsOf({ skip_cache: { stringParam: "true" } }),
      serviceError("OPTION_UNKNOWN", "The parameter skip_cache must be a bool.", {
        field: "parameters[skip_cache]",
      }),
    );
  });

  for (const given of [
    { stringParam: "chop" },
    { stringParam: "constructor" },
    { int64Param: 1 },
    {},
  ]) {
    it(`refuses long_text ${JSON.stringify(given)}`, () => {
      const message = "The parameter long_text must be a string, windows, truncate, reject.";
      assert.throws(
        () => optionsOf({ long_text: given }),
        serviceError("OPTION_UNKNOWN", message, { field: "parameters[long_text]" }),
      );
    });
  }
});
