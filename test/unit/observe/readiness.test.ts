import assert from "node:assert/strict";
import { createReadiness } from "../../../server/observe/readiness.js";

describe("readiness", () => {
  it("names what the start waits for, then nothing, then the drain for good", () => {
    let awaited = ["sentiment_fast", "sentiment_accurate"];
    const readiness = createReadiness(() => awaited);
    assert.deepEqual(readiness.reasons(), [
      "model not ready: sentiment_fast",
      "model not ready: sentiment_accurate",
    ]);
    awaited = [];
    assert.deepEqual(readiness.reasons(), ["starting"]);
    readiness.serving();
    assert.deepEqual(readiness.reasons(), []);
    // Its backend has gone.
    awaited = ["sentiment_fast"];
    assert.deepEqual(readiness.reasons(), ["model not ready: sentiment_fast"]);
    readiness.draining();
    assert.deepEqual(readiness.reasons(), ["draining"]);
  });
});
