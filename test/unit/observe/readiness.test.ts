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
    assert.equal(readiness.isDraining, false);
    readiness.draining();
    assert.deepEqual(readiness.reasons(), ["draining"]);
    assert.equal(readiness.isDraining, true);
  });

  it("names the backend that is down, where models cannot be asked for because of it", () => {
    let awaited: string[] = [];
    const readiness = createReadiness(
      () => awaited,
      () => ["triton"],
    );
    assert.deepEqual(readiness.reasons(), ["starting"]);
    readiness.serving();
    // A stand-by answers.
    assert.deepEqual(readiness.reasons(), []);
    awaited = ["sentiment_fast"];
    const reasons = ["model not ready: sentiment_fast", "backend down: triton"];
    assert.deepEqual(readiness.reasons(), reasons);
  });
});
