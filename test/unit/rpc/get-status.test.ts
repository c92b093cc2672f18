import assert from "node:assert/strict";
import type { Model } from "../../../server/gen/sentiment/v1/sentiment.js";
import { statusMessage } from "../../../server/rpc/get-status.js";

describe("GetStatus", () => {
  const readings = {
    started: "2026-11-25T10:00:00.500Z",
    queued: { rows: 3, tokens: 60 },
    cache: { texts: 5 },
    memory: { bytes: 1000 },
    draining: true,
  };

  it("tells what the process reads of itself", () => {
    const models = [{ name: "sentiment_fast" } as Model];
    assert.deepEqual(statusMessage("1.2.3", readings, models), {
      version: "1.2.3",
      started: new Date(Date.UTC(2026, 10, 25, 10, 0, 0, 500)),
      models,
      queuedTexts: 3,
      queuedTokens: 60,
      cacheEntries: 5,
      memoryBytes: 1000,
      draining: true,
    });
    assert.equal(statusMessage("1.2.3", { ...readings, cache: null }, []).cacheEntries, 0);
  });
});
