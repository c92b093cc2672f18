import assert from "node:assert/strict";
import { ServiceError } from "../../../server/core/errors.js";
import { authorize, refuseAdmin } from "../../../server/rpc/authorize.js";
import type { Check, Shown } from "../../../server/rpc/entrance.js";
import type { Holder, Keys } from "../../../server/rpc/keys/keys.js";

const isCurrent = () => true;
const HOLDERS: Readonly<Record<string, Holder>> = {
  sap_reader: { name: "reader", rights: ["analyze"], isCurrent },
  sap_admin: { name: "admin", rights: ["admin"], isCurrent },
};
const KEYS: Keys = { holderOf: (key) => HOLDERS[key] };
/** As those of tokens, which take time. */
const LATE_KEYS: Keys = { holderOf: async (key) => HOLDERS[key] };
const PATH = "/sentiment.v1.SentimentService/Analyze";

function reasonOf(error: unknown): string {
  assert.ok(error instanceof ServiceError, String(error));
  assert.doesNotMatch(error.message, /sap_/, "the message repeats the key");
  return error.reason;
}

const shown = (metadata: Record<string, string>): Shown => new Map(Object.entries(metadata));

/** What a call with this metadata gets: "answer", or the reason of its refusal. */
function outcomeOf(check: Check, metadata: Record<string, string>): string {
  try {
    assert.ok(!(check(shown(metadata), PATH) instanceof Promise));
    return "answer";
  } catch (error) {
    return reasonOf(error);
  }
}

/** The same of a check that takes time. */
const lateOutcomeOf = async (check: Check, metadata: Record<string, string>): Promise<string> =>
  (async () => check(shown(metadata), PATH))().then(() => "answer", reasonOf);

describe("authorize", () => {
  const cases: readonly (readonly [metadata: Record<string, string>, outcome: string])[] = [
    [{}, "KEY_MISSING"],
    [{ authorization: "" }, "KEY_MISSING"],
    [{ authorization: "Bearer " }, "KEY_MISSING"],
    [{ authorization: "sap_reader" }, "KEY_MISSING"],
    [{ authorization: "Basic sap_reader" }, "KEY_MISSING"],
    [{ "x-api-key": "" }, "KEY_MISSING"],
    [{ authorization: "Bearer sap_other" }, "KEY_UNKNOWN"],
    [{ "x-api-key": "sap_other" }, "KEY_UNKNOWN"],
    [{ "x-api-key": "Bearer sap_reader" }, "KEY_UNKNOWN"],
    [{ authorization: "Bearer sap_admin" }, "NOT_ALLOWED"],
    [{ authorization: "Bearer sap_reader" }, "answer"],
    [{ authorization: "bearer sap_reader" }, "answer"],
    [{ "x-api-key": "sap_reader" }, "answer"],
    [{ authorization: "Basic proxy", "x-api-key": "sap_reader" }, "answer"],
  ];
  for (const [metadata, outcome] of cases) {
    it(`${JSON.stringify(metadata)}: ${outcome}`, () => {
      assert.equal(outcomeOf(authorize(KEYS, "analyze"), metadata), outcome);
    });

    it(`${JSON.stringify(metadata)}, of keys that take time: ${outcome}`, async () => {
      assert.equal(await lateOutcomeOf(authorize(LATE_KEYS, "analyze"), metadata), outcome);
    });
  }

  it("tells whose key it was, now or later", async () => {
    const metadata = shown({ "x-api-key": "sap_reader" });
    assert.equal(authorize(KEYS, "analyze")(metadata, PATH), HOLDERS["sap_reader"]);
    assert.equal(await authorize(LATE_KEYS, "analyze")(metadata, PATH), HOLDERS["sap_reader"]);
  });

  it("is content with one of several rights", () => {
    for (const key of ["sap_reader", "sap_admin"]) {
      const outcome = outcomeOf(authorize(KEYS, "analyze", "admin"), { "x-api-key": key });
      assert.equal(outcome, "answer");
    }
  });

  it("has no admin where there are no keys", () => {
    for (const metadata of [{}, { "x-api-key": "sap_admin" }])
      assert.equal(outcomeOf(refuseAdmin, metadata), "NOT_ALLOWED");
    assert.equal(outcomeOf(authorize(KEYS, "admin"), { "x-api-key": "sap_admin" }), "answer");
  });
});
