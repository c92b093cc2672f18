import assert from "node:assert/strict";
import { statusOf } from "../../../server/observe/status.js";

describe("the status of a process", () => {
  const model = { tier: "fast", name: "sentiment_fast", version: "1+held.0" };
  const version = (digest: string, isLoaded: boolean, size: number) => ({
    model,
    id: { digest },
    isLoaded,
    queued: { size, tokens: size * 10 },
  });
  const readings = {
    reasons: () => ["draining"],
    draining: () => true,
    versions: () => [version("0123456789abcdef", true, 2), version("f".repeat(64), false, 1)],
    backends: () => [{ backend: "held", up: true }],
    cache: () => undefined,
    memoryBytes: () => 7,
    memoryLimitBytes: undefined,
  };

  it("adds up what waits, and tells twelve digits of each digest", () => {
    const { models, ...rest } = statusOf(readings, "2026-11-25T10:00:00.000Z");
    assert.deepEqual(
      models.map(({ digest, loaded }) => [digest, loaded]),
      [
        ["0123456789ab", true],
        ["ffffffffffff", false],
      ],
    );
    assert.deepEqual(rest, {
      started: "2026-11-25T10:00:00.000Z",
      reasons: ["draining"],
      draining: true,
      queued: { rows: 3, tokens: 30 },
      backends: [{ backend: "held", up: true }],
      cache: null,
      memory: { bytes: 7, limitBytes: null },
    });
  });
});
