import assert from "node:assert/strict";
import { StreamPlaces } from "../../../server/rpc/stream-places.js";
import { serviceError } from "../outcomes.js";

describe("StreamPlaces", () => {
  const refused = serviceError(
    "OVERLOADED",
    "Most streams are open, and this key has its part of them: end some, try again later, or send the texts by AnalyzeBatch.",
    { retryAfterMs: 1000 },
  );

  it("keeps the last tenth for keys that have less than an even part", () => {
    const places = new StreamPlaces(20);
    const taken = Array.from({ length: 18 }, () => places.take("greedy"));
    assert.throws(() => places.take("greedy"), refused);
    const modest = [places.take("modest"), places.take("modest")];
    taken[0]?.[Symbol.dispose]();
    assert.throws(() => places.take("greedy"), refused);
    for (const place of modest) place?.[Symbol.dispose]();
    assert.ok(places.take("greedy"));
  });

  it("takes no notice of callers without a key", () => {
    const places = new StreamPlaces(1);
    for (let stream = 0; stream < 10; stream++) assert.equal(places.take(undefined), undefined);
  });
});
